import type { StreamHold } from '../sim/stream-faults.ts';
import type { Fault, FaultParams } from './fault.ts';
import { paramsArbitrary } from './params.ts';
import { programNames, type Topology } from './topology.ts';

export interface WatchStallParams extends FaultParams {
  readonly kind: 'watch-stall';
  readonly program: string;
  readonly resource: string;
}

/** What programs watch, '' for all of it at once. */
export const WATCHED_RESOURCES = [
  '',
  'pods',
  'nodes',
  'services',
  'endpointslices',
  'deployments',
  'replicasets',
  'leases',
  'daemonsets',
  'poddisruptionbudgets',
];

/** Programs that watch: API servers (their caches, from etcd) and everything that has informers. */
export function watchers(topology: Topology): readonly string[] {
  return programNames(topology, 'api-', 'kcm-', 'scheduler-', 'kubelet-', 'kube-proxy-');
}

const params = { program: { type: 'name', of: watchers }, resource: { type: 'name', of: () => WATCHED_RESOURCES } } as const;

/** Watch events of one program are late while all else works: flow control, a stuck proxy, a slow reader. */
export const watchStall: Fault<WatchStallParams> = {
  kind: 'watch-stall',
  about: 'The named program gets no watch events of one resource (of all: empty) until healed; then they come in order.',
  operation: false,
  params,
  arbitrary: (topology) => paramsArbitrary<WatchStallParams>('watch-stall', params, topology),
  describe: (p) => `stall watch ${p.resource === '' ? '*' : p.resource} of ${p.program}`,
  lanes: (p) => [p.program],
  inject: (target, p) => {
    const hold: StreamHold = { process: p.program, label: p.resource === '' ? 'watch' : `watch ${p.resource}`, touched: 0 };
    target.world.streams.hold(hold);
    return { heal: () => target.world.streams.release(hold), touched: () => hold.touched };
  },
};
