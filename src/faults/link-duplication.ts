import type { Fault, FaultParams } from './fault.ts';
import { modifyLinks } from './link-modifier.ts';
import { paramsArbitrary } from './params.ts';
import { clusterHosts } from './topology.ts';

export interface LinkDuplicationParams extends FaultParams {
  readonly kind: 'link-duplication';
  readonly hosts: readonly string[];
  readonly duplicatePercent: number;
}

const params = {
  hosts: { type: 'names', of: clusterHosts, min: 1 },
  duplicatePercent: { type: 'integer', min: 1, max: 50, unit: 'percent' },
} as const;

/** A share of the datagrams to and from the named hosts arrives twice. */
export const linkDuplication: Fault<LinkDuplicationParams> = {
  kind: 'link-duplication',
  about: 'A share of the datagrams to and from the named hosts arrives twice.',
  operation: false,
  params,
  arbitrary: (topology) => paramsArbitrary<LinkDuplicationParams>('link-duplication', params, topology),
  describe: (p) => `duplicates ${p.duplicatePercent} % ${p.hosts.join(' ')}`,
  lanes: (p) => p.hosts,
  inject: (target, p) => modifyLinks(target.world, p.hosts, { duplicatePpm: p.duplicatePercent * 10_000 }),
};
