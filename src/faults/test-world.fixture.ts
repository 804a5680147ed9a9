import { createFacts } from '../model/facts.ts';
import type { Errand } from '../model/workload/errand.ts';
import { World } from '../sim/world.ts';
import type { FaultTarget, Operator } from './fault.ts';
import type { ClusterHost } from '../model/cluster-spec.ts';
import type { Topology } from './topology.ts';

function host(name: string, zone: string, role: ClusterHost['role'], programs: readonly string[]): ClusterHost {
  return { name, zone, role, programs };
}

/** Clusters for tests of faults, small and large: a bare store, one control plane with one worker, three of both in three zones. */
export const TOPOLOGIES: Readonly<Record<'store' | 'single' | 'ha', Topology>> = {
  store: {
    hosts: [
      ...[0, 1, 2].map((i) => host(`cp-${i}`, `zone-${'abc'[i]}`, 'control-plane', [`etcd-${i}`])),
      host('client-0', 'zone-a', 'client', []),
    ],
  },
  single: {
    hosts: [
      host('cp-0', 'zone-a', 'control-plane', ['etcd-0', 'api-0', 'kcm-0', 'scheduler-0']),
      host('worker-0', 'zone-a', 'worker', ['containerd-worker-0', 'kube-proxy-worker-0', 'kubelet-worker-0']),
      host('client-0', 'zone-a', 'client', []),
    ],
  },
  ha: {
    hosts: [
      ...[0, 1, 2].map((i) =>
        host(`cp-${i}`, `zone-${'abc'[i]}`, 'control-plane', [`etcd-${i}`, `api-${i}`, `kcm-${i}`, `scheduler-${i}`]),
      ),
      ...[0, 1, 2].map((i) =>
        host(`worker-${i}`, `zone-${'abc'[i]}`, 'worker', [`containerd-worker-${i}`, `kube-proxy-worker-${i}`, `kubelet-worker-${i}`]),
      ),
      host('client-0', 'zone-a', 'client', []),
    ],
  },
};

/** A target whose programs do nothing but send a datagram each second, and whose operator notes what it was asked. */
export function testTarget(topology: Topology, seed = 'faults'): FaultTarget & { readonly orders: readonly string[] } {
  const world = new World({ seed });
  for (const { name, zone } of topology.hosts) world.addHost({ name, zone });
  for (const { name, programs } of topology.hosts) {
    for (const program of programs) {
      world.host(name).install({
        name: program,
        start: (process) => {
          const tick = (): void => {
            const peers = world.hosts().filter((h) => h.name !== name);
            for (const peer of peers) world.network.send(process, world.network.endpoint(peer.name, 'test'), 0, 10);
            world.host(name).disk.append(process, program, 0, 10);
            world.host(name).disk.fsyncThen(process, program, () => undefined);
            process.after(1_000_000, tick);
          };
          process.after(1000, tick);
        },
      });
    }
  }
  const orders: string[] = [];
  const taken = (order: string): Errand => {
    orders.push(order);
    return { taken: 1 };
  };
  const operator: Operator = {
    setImage: (deployment, image) => taken(`set-image ${deployment} ${image}`),
    scale: (deployment, replicas) => taken(`scale ${deployment} ${replicas}`),
    applyDeployment: (deployment, image, replicas) => taken(`apply-deployment ${deployment} ${image} ${replicas}`),
    deleteNode: (node) => taken(`delete-node ${node}`),
    deleteNamespace: (namespace) => taken(`delete-namespace ${namespace}`),
    reclaimMachine: (machine) => taken(`reclaim ${machine}`).taken > 0,
    lagCloud: () => ({ heal: () => undefined, touched: () => 1 }),
    deletePod: (workload, ordinal) => taken(`delete-pod ${workload} ${ordinal}`),
    moveLeader: (member) => taken(`move-leader ${member}`),
    etcdctl: (order) => taken(`etcdctl ${order.what}`),
    drain: (node) => taken(`drain ${node}`),
    uncordon: (node) => void taken(`uncordon ${node}`),
    podProcesses: () => world.host('cp-0').processes(),
    floodApi: (requests, objects) => {
      orders.push(`flood ${requests} ${objects}`);
      return { stop: () => void orders.push('flood ends'), sent: 1 };
    },
    deployments: [],
  };
  return { world, facts: createFacts(), topology, operator, orders };
}
