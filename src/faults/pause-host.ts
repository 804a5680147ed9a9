import type { Fault, FaultParams } from './fault.ts';
import { paramsArbitrary } from './params.ts';
import { clusterHosts } from './topology.ts';

export interface PauseHostParams extends FaultParams {
  readonly kind: 'pause-host';
  readonly host: string;
}

const params = { host: { type: 'name', of: clusterHosts } } as const;

/** A virtual machine that its hypervisor does not schedule (live migration, an overcommitted host). */
export const pauseHost: Fault<PauseHostParams> = {
  kind: 'pause-host',
  about: 'Every process of the host stands still until healed.',
  operation: false,
  params,
  arbitrary: (topology) => paramsArbitrary<PauseHostParams>('pause-host', params, topology),
  describe: (p) => `pause ${p.host}`,
  lanes: (p) => [p.host],
  inject: (target, p) => {
    const host = target.world.host(p.host);
    const running = host.processes().length;
    host.pause();
    return { heal: () => host.resume(), touched: () => running };
  },
};
