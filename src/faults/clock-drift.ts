import type { Fault, FaultParams } from './fault.ts';
import { paramsArbitrary } from './params.ts';
import { clusterHosts } from './topology.ts';

export interface ClockDriftParams extends FaultParams {
  readonly kind: 'clock-drift';
  readonly host: string;
  readonly ratePpm: number;
}

const params = {
  host: { type: 'name', of: clusterHosts },
  ratePpm: { type: 'integer', min: -300_000, max: 300_000, unit: 'ppm' },
} as const;

/** Both clocks of the host run fast or slow: timers, leases and elections with them. */
export const clockDrift: Fault<ClockDriftParams> = {
  kind: 'clock-drift',
  about: 'The clocks of the host run fast or slow until healed; what they gained or lost stays, as it does without NTP.',
  operation: false,
  params,
  arbitrary: (topology) => paramsArbitrary<ClockDriftParams>('clock-drift', params, topology),
  describe: (p) => `clock ${p.host} drifts ${p.ratePpm} ppm`,
  lanes: (p) => [p.host],
  inject: (target, p) => {
    const clock = target.world.host(p.host).clock;
    clock.addDrift(p.ratePpm);
    return { heal: () => clock.addDrift(-p.ratePpm), touched: () => (p.ratePpm === 0 ? 0 : 1) };
  },
};
