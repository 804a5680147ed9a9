import type { Fault, FaultParams } from './fault.ts';
import { modifyLinks } from './link-modifier.ts';
import { paramsArbitrary } from './params.ts';
import { clusterHosts } from './topology.ts';

export interface LinkLossParams extends FaultParams {
  readonly kind: 'link-loss';
  readonly hosts: readonly string[];
  readonly lossPercent: number;
}

const params = {
  hosts: { type: 'names', of: clusterHosts, min: 1 },
  lossPercent: { type: 'integer', min: 1, max: 60, unit: 'percent' },
} as const;

/** A share of the messages to and from the named hosts is lost; connections retransmit. */
export const linkLoss: Fault<LinkLossParams> = {
  kind: 'link-loss',
  about: 'A share of the messages to and from the named hosts is lost; connections retransmit.',
  operation: false,
  params,
  arbitrary: (topology) => paramsArbitrary<LinkLossParams>('link-loss', params, topology),
  describe: (p) => `loss ${p.lossPercent} % ${p.hosts.join(' ')}`,
  lanes: (p) => p.hosts,
  inject: (target, p) => modifyLinks(target.world, p.hosts, { lossPpm: p.lossPercent * 10_000 }),
};
