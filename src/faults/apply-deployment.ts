import type { Fault, FaultParams } from './fault.ts';
import { operationArbitrary } from './operation.ts';

export interface ApplyDeploymentParams extends FaultParams {
  readonly kind: 'apply-deployment';
  /** `namespace/name`. */
  readonly deployment: string;
  readonly image: string;
  readonly replicas: number;
}

const params = {
  deployment: { type: 'text' },
  image: { type: 'text' },
  replicas: { type: 'integer', min: 0, max: 1000, unit: 'replicas' },
} as const;

/** A user applies a deployment whose image and number of replicas have both changed. */
export const applyDeployment: Fault<ApplyDeploymentParams> = {
  kind: 'apply-deployment',
  about: 'A user applies a deployment whose image and number of replicas have both changed.',
  operation: true,
  params,
  arbitrary: operationArbitrary,
  describe: (p) => `apply ${p.deployment} with ${p.image} and ${p.replicas} replicas`,
  lanes: () => [],
  inject: (target, p) => {
    const errand = target.operator.applyDeployment(p.deployment, p.image, p.replicas);
    return { heal: () => undefined, touched: () => errand.taken };
  },
};
