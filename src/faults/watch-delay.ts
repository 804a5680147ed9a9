import { MILLISECOND } from '../sim/time.ts';
import type { StreamHold } from '../sim/stream-faults.ts';
import type { Fault, FaultParams } from './fault.ts';
import { paramsArbitrary } from './params.ts';
import type { Topology } from './topology.ts';
import { WATCHED_RESOURCES, watchers } from './watch-stall.ts';

export interface WatchDelayParams extends FaultParams {
  readonly kind: 'watch-delay';
  readonly program: string;
  readonly resource: string;
  readonly delayMs: number;
}

const params = {
  program: { type: 'name', of: watchers },
  resource: { type: 'name', of: () => WATCHED_RESOURCES },
  delayMs: { type: 'integer', min: 10, max: 120_000, unit: 'ms' },
} as const;

/** An overloaded API server or proxy: what a program watches is always some time old, while all that it asks for is answered at once. */
export const watchDelay: Fault<WatchDelayParams> = {
  kind: 'watch-delay',
  about:
    'Each watch event of one resource (of all: empty) reaches the named program so much later, in order; when healed, all come at once.',
  operation: false,
  params,
  arbitrary: (topology: Topology) => paramsArbitrary<WatchDelayParams>('watch-delay', params, topology),
  describe: (p) => `delay watch ${p.resource === '' ? '*' : p.resource} of ${p.program} by ${p.delayMs} ms`,
  lanes: (p) => [p.program],
  inject: (target, p) => {
    const hold: StreamHold = {
      process: p.program,
      label: p.resource === '' ? 'watch' : `watch ${p.resource}`,
      delayUs: p.delayMs * MILLISECOND,
      touched: 0,
    };
    target.world.streams.hold(hold);
    return { heal: () => target.world.streams.release(hold), touched: () => hold.touched };
  },
};
