import type { Fault, FaultParams } from './fault.ts';
import { paramsArbitrary } from './params.ts';
import { clusterHosts } from './topology.ts';

export interface CrashHostParams extends FaultParams {
  readonly kind: 'crash-host';
  readonly host: string;
}

const params = { host: { type: 'name', of: clusterHosts } } as const;

/** Power loss: every process gone without a word, unsynced writes lost or torn. Healing boots the host. */
export const crashHost: Fault<CrashHostParams> = {
  kind: 'crash-host',
  about: 'The host loses power: no process says goodbye, what was not synced to disk may be lost or torn. It boots when healed.',
  operation: false,
  params,
  arbitrary: (topology) => paramsArbitrary<CrashHostParams>('crash-host', params, topology),
  describe: (p) => `power loss ${p.host}`,
  lanes: (p) => [p.host],
  inject: (target, p) => {
    const host = target.world.host(p.host);
    const wasUp = host.up;
    host.cutPower();
    return { heal: () => host.restorePower(), touched: () => (wasUp ? 1 : 0) };
  },
};
