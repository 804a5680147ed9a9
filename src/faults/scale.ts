import type { Fault, FaultParams } from './fault.ts';
import { operationArbitrary } from './operation.ts';

export interface ScaleParams extends FaultParams {
  readonly kind: 'scale';
  /** `namespace/name`. */
  readonly deployment: string;
  readonly replicas: number;
}

const params = { deployment: { type: 'text' }, replicas: { type: 'integer', min: 0, max: 1000, unit: 'replicas' } } as const;

/** A user scales a deployment. */
export const scale: Fault<ScaleParams> = {
  kind: 'scale',
  about: 'A user scales a deployment.',
  operation: true,
  params,
  arbitrary: operationArbitrary,
  describe: (p) => `scale ${p.deployment} to ${p.replicas}`,
  lanes: () => [],
  inject: (target, p) => {
    const errand = target.operator.scale(p.deployment, p.replicas);
    return { heal: () => undefined, touched: () => errand.taken };
  },
};
