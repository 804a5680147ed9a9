import type { Fault, FaultParams } from './fault.ts';
import { modifyLinks } from './link-modifier.ts';
import { paramsArbitrary } from './params.ts';
import { clusterHosts } from './topology.ts';

export interface LinkLatencyParams extends FaultParams {
  readonly kind: 'link-latency';
  readonly hosts: readonly string[];
  readonly latencyMs: number;
}

const params = {
  hosts: { type: 'names', of: clusterHosts, min: 1 },
  latencyMs: { type: 'integer', min: 1, max: 2000, unit: 'ms' },
} as const;

/** Every message to and from the named hosts takes longer, by up to twice the given latency. */
export const linkLatency: Fault<LinkLatencyParams> = {
  kind: 'link-latency',
  about: 'Every message to and from the named hosts takes longer, by up to twice the given latency.',
  operation: false,
  params,
  arbitrary: (topology) => paramsArbitrary<LinkLatencyParams>('link-latency', params, topology),
  describe: (p) => `slow link ${p.hosts.join(' ')} +${p.latencyMs} ms`,
  lanes: (p) => p.hosts,
  inject: (target, p) => modifyLinks(target.world, p.hosts, { extraLatencyUs: p.latencyMs * 1000, extraJitterUs: p.latencyMs * 1000 }),
};
