import type { Fault, FaultParams } from './fault.ts';
import { operationArbitrary } from './operation.ts';

export interface DeleteNodeParams extends FaultParams {
  readonly kind: 'delete-node';
  readonly node: string;
}

const params = { node: { type: 'text' } } as const;

/** A user deletes the node object (`kubectl delete node`), as before a machine is taken away. */
export const deleteNode: Fault<DeleteNodeParams> = {
  kind: 'delete-node',
  about: 'A user deletes the node object (`kubectl delete node`), as before a machine is taken away.',
  operation: true,
  params,
  arbitrary: operationArbitrary,
  describe: (p) => `delete node ${p.node}`,
  lanes: () => [],
  inject: (target, p) => {
    const errand = target.operator.deleteNode(p.node);
    return { heal: () => undefined, touched: () => errand.taken };
  },
};
