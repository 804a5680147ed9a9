import type { Fault, FaultParams } from './fault.ts';
import { modifyLinks } from './link-modifier.ts';
import { paramsArbitrary } from './params.ts';
import { clusterHosts } from './topology.ts';

export interface LinkReorderParams extends FaultParams {
  readonly kind: 'link-reorder';
  readonly hosts: readonly string[];
  readonly reorderMs: number;
}

const params = {
  hosts: { type: 'names', of: clusterHosts, min: 1 },
  reorderMs: { type: 'integer', min: 1, max: 500, unit: 'ms' },
} as const;

/** A third of the messages to and from the named hosts is overtaken by others, up to the given time late. */
export const linkReorder: Fault<LinkReorderParams> = {
  kind: 'link-reorder',
  about: 'A third of the messages to and from the named hosts is overtaken by others, up to the given time late.',
  operation: false,
  params,
  arbitrary: (topology) => paramsArbitrary<LinkReorderParams>('link-reorder', params, topology),
  describe: (p) => `reordering ${p.hosts.join(' ')} up to ${p.reorderMs} ms`,
  lanes: (p) => p.hosts,
  inject: (target, p) => modifyLinks(target.world, p.hosts, { reorderPpm: 333_333, reorderUs: p.reorderMs * 1000 }),
};
