import type { Facts } from '../model/facts.ts';
import type { Host } from '../sim/host.ts';
import type { World } from '../sim/world.ts';
import { hostOfProgram, programNames, type Topology } from '../faults/topology.ts';

/**
 * Tells the properties, as facts, who can reach whom in the physical world: which etcd members a majority, which nodes an API server.
 * Recomputed only when a link, host or process changed.
 */
export function watchReachability(world: World, topology: Topology, facts: Facts, firstVoters?: readonly string[]): void {
  const members = programNames(topology, 'etcd-').map((name) => ({ name, host: world.host(hostOfProgram(topology, name) as string) }));
  const servers = programNames(topology, 'api-').map((name) => ({ name, host: world.host(hostOfProgram(topology, name) as string) }));
  const nodes = topology.hosts.filter((h) => h.programs.some((p) => p.startsWith('kubelet-'))).map((h) => world.host(h.name));
  const quorum = new Map<string, boolean>();
  const reachable = new Map<string, boolean>();

  const alive = (at: { readonly name: string; readonly host: Host }): boolean => at.host.up && at.host.process(at.name)?.alive === true;
  const both = (a: Host, b: Host): boolean =>
    a === b || (world.network.link(a, b)?.blocked !== true && world.network.link(b, a)?.blocked !== true);

  // Who decides changes with the configuration: the newest that any member has applied, both halves of it while it is joint.
  let halves: readonly (readonly string[])[] = [firstVoters ?? members.map((member) => member.name)];
  let configIndex = 0;
  let together = new Set<string>();
  const tellMet = (live: typeof members): void => {
    if (!facts.membersMet.on) return;
    const now = new Set<string>();
    for (const [i, a] of live.entries()) {
      for (const b of live.slice(i + 1)) {
        if (!both(a.host, b.host)) continue;
        // A process that came again is another one than before.
        const pair = `${a.name}/${a.host.process(a.name)?.incarnation} ${b.name}/${b.host.process(b.name)?.incarnation}`;
        now.add(pair);
        if (!together.has(pair)) facts.membersMet.emit(a.name, b.name);
      }
    }
    together = now;
  };
  const recompute = (): void => {
    const live = members.filter(alive);
    const reachesMajority = (m: (typeof members)[number]): boolean =>
      halves.every((voters) => live.filter((other) => voters.includes(other.name) && both(m.host, other.host)).length * 2 > voters.length);
    const withMajority = live.filter(reachesMajority);
    tellMet(live);
    for (const member of members) {
      // A member without a majority of its own may still be served by one that has it.
      const has = alive(member) && withMajority.some((m) => both(member.host, m.host));
      if (quorum.get(member.name) === has) continue;
      quorum.set(member.name, has);
      facts.memberQuorum.emit(member.name, has);
    }
    for (const node of nodes) {
      const has = node.up && servers.some((server) => alive(server) && both(node, server.host));
      if (reachable.get(node.name) === has) continue;
      reachable.set(node.name, has);
      facts.nodeReachable.emit(node.name, has);
    }
  };
  facts.raftConfig.subscribe((_member, index, voters, outgoing) => {
    if (index <= configIndex) return;
    configIndex = index;
    halves = outgoing === '' ? [voters.split(',')] : [voters.split(','), outgoing.split(',')];
    recompute();
  });
  world.onReachability = recompute;
  recompute();
}
