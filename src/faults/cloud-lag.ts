import { MILLISECOND } from '../sim/time.ts';
import type { Fault, FaultParams } from './fault.ts';
import { operationArbitrary } from './operation.ts';

export interface CloudLagParams extends FaultParams {
  readonly kind: 'cloud-lag';
  readonly lagMs: number;
}

const params = { lagMs: { type: 'integer', min: 0, max: 3_600_000, unit: 'ms' } } as const;

/** Eventual consistency: the cloud's API does not know yet of what happened lately. */
export const cloudLag: Fault<CloudLagParams> = {
  kind: 'cloud-lag',
  about: "The cloud's API answers from a copy of its books that is so old, until healed.",
  operation: false,
  params,
  // Only clusters with a cloud have one to lag, and a cluster's shape does not tell.
  arbitrary: operationArbitrary,
  describe: (p) => `cloud lags ${p.lagMs} ms`,
  lanes: () => [],
  inject: (target, p) => target.operator.lagCloud(p.lagMs * MILLISECOND),
};
