import { NO_DEFECTS, type DefectSet } from '../defects.ts';
import { createFacts, type Facts } from '../facts.ts';
import type { Host } from '../../sim/host.ts';
import type { Process } from '../../sim/process.ts';
import type { Task } from '../../sim/task.ts';
import { World } from '../../sim/world.ts';
import { EtcdClient, type EtcdClientOptions } from './client.ts';
import { type EtcdConfig, etcdConfig } from './server/config.ts';
import { etcdMember } from './server/member.ts';

/** A cluster of etcd members and a host for clients, for tests and benchmarks. */
export interface TestCluster {
  readonly world: World;
  readonly facts: Facts;
  readonly hosts: readonly Host[];
  readonly clientHost: Host;
  client(process: Process, options?: Partial<EtcdClientOptions>): EtcdClient;
  /** Runs a task in a process of its own on the client's host. */
  task(name: string, body: (process: Process) => Task<void>): void;
}

/** Builds a cluster of `size` members named etcd-0, etcd-1 … */
export function testCluster(
  size: number,
  options: { readonly seed?: string; readonly defects?: DefectSet; readonly config?: Partial<EtcdConfig> } = {},
): TestCluster {
  const world = new World({ seed: options.seed ?? 'etcd' });
  const facts = createFacts();
  const told = { revision: 1, compacted: 0 };
  const names = Array.from({ length: size }, (_, i) => `etcd-${i}`);
  const initialCluster = names.map((name) => ({ name, peerURL: `http://${name}:2380` }));
  const hosts = names.map((name, i) => world.addHost({ name, zone: `z${i}` }));
  const clientHost = world.addHost({ name: 'client', zone: 'z0' });
  hosts.forEach((host) => {
    const config = etcdConfig({
      name: host.name,
      peerURL: `http://${host.name}:2380`,
      clientURL: `http://${host.name}:2379`,
      initialCluster,
      facts,
      told,
      defects: options.defects ?? NO_DEFECTS,
      ...options.config,
    });
    host.install(etcdMember(config));
  });
  return {
    world,
    facts,
    hosts,
    clientHost,
    client: (process, clientOptions = {}) =>
      new EtcdClient(process, {
        endpoints: names.map((name) => world.network.endpoint(name, '2379')),
        timeoutUs: 10_000_000,
        ...clientOptions,
      }),
    task: (name, body) => {
      clientHost.install({ name, start: (process) => void process.spawn(name, body(process)) });
    },
  };
}
