import type { Fault, FaultParams } from './fault.ts';
import { operationArbitrary } from './operation.ts';

export interface DeletePodParams extends FaultParams {
  readonly kind: 'delete-pod';
  /** `namespace/name`. */
  readonly deployment: string;
  readonly ordinal: number;
}

const params = { deployment: { type: 'text' }, ordinal: { type: 'integer', min: 0, max: 1000, unit: 'nth pod by name' } } as const;

/** A user deletes one pod of a deployment. */
export const deletePod: Fault<DeletePodParams> = {
  kind: 'delete-pod',
  about: 'A user deletes one pod of a deployment.',
  operation: true,
  params,
  arbitrary: operationArbitrary,
  describe: (p) => `delete pod ${p.ordinal} of ${p.deployment}`,
  lanes: () => [],
  inject: (target, p) => {
    target.operator.deletePod(p.deployment, p.ordinal);
    return { heal: () => undefined, touched: () => 1 };
  },
};
