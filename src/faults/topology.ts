import type { ClusterHost, ClusterRole } from '../model/cluster-spec.ts';

/** What a generator knows of a cluster before it exists: names and places. Sorted, so that equal clusters generate equal plans. */
export interface Topology {
  readonly hosts: readonly ClusterHost[];
}

/** Names of the hosts with one of the roles. */
export function hostNames(topology: Topology, ...roles: readonly ClusterRole[]): readonly string[] {
  return topology.hosts.filter((h) => roles.includes(h.role)).map((h) => h.name);
}

/** Hosts that a fault may hit: all but those of outside users and the cloud, which are not the system under test. */
export function clusterHosts(topology: Topology): readonly string[] {
  return hostNames(topology, 'control-plane', 'etcd', 'worker');
}

/** Names of the programs that start with one of the prefixes. */
export function programNames(topology: Topology, ...prefixes: readonly string[]): readonly string[] {
  return topology.hosts.flatMap((h) => h.programs).filter((name) => prefixes.some((prefix) => name.startsWith(prefix)));
}

/** The host that a program runs on. */
export function hostOfProgram(topology: Topology, program: string): string | undefined {
  return topology.hosts.find((h) => h.programs.includes(program))?.name;
}
