import { etcdConfig } from '../model/etcd/server/config.ts';
import { etcdMember } from '../model/etcd/server/member.ts';
import type { Facts } from '../model/facts.ts';
import { storeClient } from '../model/workload/store-client.ts';
import { hostNames } from '../faults/topology.ts';
import type { Endpoint } from '../sim/network.ts';
import { SECOND } from '../sim/time.ts';
import type { World } from '../sim/world.ts';
import { moveLeader } from '../model/workload/move-leader.ts';
import { topologyOf } from './shape.ts';
import type { System } from './system.ts';
import type { TrialInput } from './trial-input.ts';

/** The kubelet of a static pod starts an ended container again after its first back-off. */
const RESTART_AFTER_US = 10 * SECOND;

/** A bare etcd cluster with clients that read, write and watch keys: for the consensus suites. */
export function storeSystem(world: World, input: TrialInput, facts: Facts): System {
  const topology = topologyOf(input.cluster);
  for (const host of topology.hosts) world.addHost({ name: host.name, zone: host.zone });
  const hosts = hostNames(topology, 'control-plane');
  const members = hosts.map((_, i) => `etcd-${i}`);
  const initialCluster = hosts.map((host, i) => ({ name: `etcd-${i}`, peerURL: `http://${host}:2380` }));
  const told = { revision: 1, compacted: 0 };
  hosts.forEach((host, i) => {
    const config = etcdConfig({
      name: `etcd-${i}`,
      peerURL: `http://${host}:2380`,
      clientURL: `http://${host}:2379`,
      initialCluster,
      facts,
      told,
      defects: new Set(input.defects),
    });
    world.host(host).install({ ...etcdMember(config), restartAfterUs: RESTART_AFTER_US });
  });
  let running = true;
  const endpoints = hosts.map((host, i) => ({ name: `etcd-${i}`, endpoint: world.network.endpoint(host, '2379') }));
  const clientHost = world.host('client-0');
  installStoreClients(world, input, facts, endpoints, () => running);
  let movers = 0;
  return {
    topology,
    members,
    operator: {
      deployments: [],
      setImage: () => undefined,
      scale: () => undefined,
      deletePod: () => undefined,
      moveLeader: (member) => {
        const name = `etcdctl-${++movers}`;
        clientHost.install({
          name,
          start: (process) => {
            process.spawn(name, moveLeader(process, endpoints, member));
          },
        });
      },
    },
    applyManifests: () => undefined,
    stopUsers: () => undefined,
    stopTraffic: () => {
      running = false;
    },
    storedObjects: () => [],
    notes: () => [],
  };
}

/** Puts the trial's store clients on the clients' host. */
export function installStoreClients(
  world: World,
  input: TrialInput,
  facts: Facts,
  members: readonly { readonly name: string; readonly endpoint: Endpoint }[],
  running: () => boolean,
): void {
  const { store } = input.workload;
  if (store === null) return;
  for (let index = 0; index < store.clients; index++) {
    world
      .host('client-0')
      .install(storeClient({ index, members, keys: store.keys, perSecond: store.perSecond, watch: index < store.watches, facts, running }));
  }
}
