import type { Fault, FaultParams } from './fault.ts';
import { operationArbitrary } from './operation.ts';

export interface DeletePodParams extends FaultParams {
  readonly kind: 'delete-pod';
  /** `namespace/name`. */
  readonly workload: string;
  readonly ordinal: number;
}

const params = { workload: { type: 'text' }, ordinal: { type: 'integer', min: 0, max: 1000, unit: 'nth pod by name' } } as const;

/** A user deletes one pod of a workload (by the order of the names). */
export const deletePod: Fault<DeletePodParams> = {
  kind: 'delete-pod',
  about: 'A user deletes one pod of a workload (by the order of the names).',
  operation: true,
  params,
  arbitrary: operationArbitrary,
  describe: (p) => `delete pod ${p.ordinal} of ${p.workload}`,
  lanes: () => [],
  inject: (target, p) => {
    const errand = target.operator.deletePod(p.workload, p.ordinal);
    return { heal: () => undefined, touched: () => errand.taken };
  },
};
