import { CRASH_FACTS, etcdMembers, factChannel, MORE_FACTS } from './crash-at-fact.ts';
import type { ActiveFault, Fault, FaultParams } from './fault.ts';
import { operationArbitrary } from './operation.ts';
import { cut } from './partition.ts';
import { clusterHosts } from './topology.ts';

export interface PartitionAtFactParams extends FaultParams {
  readonly kind: 'partition-at-fact';
  /** The hosts on the one side. */
  readonly hosts: readonly string[];
  readonly program: string;
  readonly fact: string;
  /** The nth fact of that kind of this program from now on. */
  readonly nth: number;
  /** Messages from the side to the rest still pass, also what it sends at that very moment. */
  readonly oneWay: boolean;
}

/** A partition at a telling moment: as a member is elected, votes, commits, or takes over a new configuration. */
export const partitionAtFact: Fault<PartitionAtFactParams> = {
  kind: 'partition-at-fact',
  about:
    'From the nth vote, election, append, commit or change of configuration of the etcd member on, the named hosts and all others cannot reach each other; one-way: the named hosts hear nothing but are heard.',
  operation: false,
  params: {
    hosts: { type: 'names', of: clusterHosts, min: 1 },
    program: { type: 'name', of: etcdMembers },
    fact: { type: 'name', of: () => CRASH_FACTS, also: () => MORE_FACTS },
    nth: { type: 'integer', min: 1, max: 50, unit: 'facts' },
    oneWay: { type: 'boolean' },
  },
  // Only a scenario knows which moment tells something.
  arbitrary: operationArbitrary,
  describe: (p) => `partition ${p.hosts.join(' ')} ${p.oneWay ? '⇠' : '|'} rest at ${p.fact} ${p.nth} of ${p.program}`,
  lanes: (p) => p.hosts,
  inject: (target, p) => {
    const rest = clusterHosts(target.topology).filter((name) => !p.hosts.includes(name));
    let waiting = true;
    let seen = 0;
    let active: ActiveFault | undefined;
    factChannel(target.facts, p.fact).subscribe((member) => {
      if (!waiting || member !== p.program || ++seen < p.nth) return;
      waiting = false;
      active = cut(target.world, p.hosts, rest, p.oneWay);
    });
    return {
      heal: () => {
        waiting = false;
        active?.heal();
      },
      touched: () => active?.touched() ?? 0,
    };
  },
};
