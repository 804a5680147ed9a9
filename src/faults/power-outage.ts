import type { Fault, FaultParams } from './fault.ts';
import { paramsArbitrary } from './params.ts';
import { clusterHosts } from './topology.ts';

export interface PowerOutageParams extends FaultParams {
  readonly kind: 'power-outage';
  readonly hosts: readonly string[];
}

const params = { hosts: { type: 'names', of: clusterHosts, min: 2, all: true } } as const;

/** Several hosts, perhaps all, lose power at the same instant: what must be on disk is all that is left. */
export const powerOutage: Fault<PowerOutageParams> = {
  kind: 'power-outage',
  about: 'The named hosts lose power at the same instant, unsynced writes with it. They boot when healed.',
  operation: false,
  params,
  arbitrary: (topology) => paramsArbitrary<PowerOutageParams>('power-outage', params, topology),
  describe: (p) => `power outage ${p.hosts.join(' ')}`,
  lanes: (p) => p.hosts,
  inject: (target, p) => {
    const hosts = p.hosts.map((name) => target.world.host(name));
    const up = hosts.filter((host) => host.up).length;
    for (const host of hosts) host.cutPower();
    return {
      heal: () => {
        for (const host of hosts) host.restorePower();
      },
      touched: () => up,
    };
  },
};
