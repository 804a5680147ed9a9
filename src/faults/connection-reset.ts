import { etcdMembers } from './crash-at-fact.ts';
import type { Fault, FaultParams } from './fault.ts';
import { paramsArbitrary } from './params.ts';
import { hostOfProgram } from './topology.ts';
import { watchers } from './watch-stall.ts';

export interface ConnectionResetParams extends FaultParams {
  readonly kind: 'connection-reset';
  readonly program: string;
}

const params = { program: { type: 'name', of: watchers, also: etcdMembers } } as const;

/** Every connection of the program breaks once: calls in flight are lost, watch streams must be resumed. */
export const connectionReset: Fault<ConnectionResetParams> = {
  kind: 'connection-reset',
  about: 'All connections of the program are reset at once: calls in flight are lost, watch streams must be taken up again.',
  operation: false,
  params,
  arbitrary: (topology) => paramsArbitrary<ConnectionResetParams>('connection-reset', params, topology),
  describe: (p) => `reset connections of ${p.program}`,
  lanes: (p) => [p.program],
  inject: (target, p) => {
    const process = target.world.host(hostOfProgram(target.topology, p.program) ?? p.program).process(p.program);
    const touched = process === undefined ? 0 : target.world.network.resetConnections(process);
    return { heal: () => undefined, touched: () => touched };
  },
};
