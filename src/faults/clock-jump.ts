import type { Fault, FaultParams } from './fault.ts';
import { paramsArbitrary } from './params.ts';
import { clusterHosts } from './topology.ts';

export interface ClockJumpParams extends FaultParams {
  readonly kind: 'clock-jump';
  readonly host: string;
  readonly jumpMs: number;
}

const params = {
  host: { type: 'name', of: clusterHosts },
  jumpMs: { type: 'integer', min: -3_600_000, max: 3_600_000, unit: 'ms' },
} as const;

/**
 * The wall clock is stepped; timers and time-outs, which use the monotonic clock, are not. A node whose clock is stepped back flaps between
 * Ready and Unknown until it has caught up: the node lifecycle controller ignores a lease whose renewTime is not newer than the last one
 * it saw (tryUpdateNodeHealth). That is Kubernetes, so healing must not do it.
 */
export const clockJump: Fault<ClockJumpParams> = {
  kind: 'clock-jump',
  about:
    'The wall clock of the host jumps. One that fell behind is set right when healed; one that went ahead stays ahead, because stepping it back would be a second jump.',
  operation: false,
  params,
  arbitrary: (topology) => paramsArbitrary<ClockJumpParams>('clock-jump', params, topology),
  describe: (p) => `clock ${p.host} ${p.jumpMs >= 0 ? '+' : ''}${p.jumpMs} ms`,
  lanes: (p) => [p.host],
  inject: (target, p) => {
    const clock = target.world.host(p.host).clock;
    clock.jumpWall(p.jumpMs * 1000);
    return { heal: () => clock.jumpWall(Math.max(0, -p.jumpMs * 1000)), touched: () => (p.jumpMs === 0 ? 0 : 1) };
  },
};
