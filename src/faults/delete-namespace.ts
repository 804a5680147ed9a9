import type { Fault, FaultParams } from './fault.ts';
import { operationArbitrary } from './operation.ts';

export interface DeleteNamespaceParams extends FaultParams {
  readonly kind: 'delete-namespace';
  readonly namespace: string;
}

const params = { namespace: { type: 'text' } } as const;

/** A user deletes a namespace with all that is in it. */
export const deleteNamespace: Fault<DeleteNamespaceParams> = {
  kind: 'delete-namespace',
  about: 'A user deletes a namespace with all that is in it.',
  operation: true,
  params,
  arbitrary: operationArbitrary,
  describe: (p) => `delete namespace ${p.namespace}`,
  lanes: () => [],
  inject: (target, p) => {
    const errand = target.operator.deleteNamespace(p.namespace);
    return { heal: () => undefined, touched: () => errand.taken };
  },
};
