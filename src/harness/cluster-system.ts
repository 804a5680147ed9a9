import { kindOfKind } from '../model/api/kinds/registry.ts';
import { buildCluster } from '../model/cluster.ts';
import type { Pod } from '../model/api/types.ts';
import type { Facts } from '../model/facts.ts';
import { ApiFlood } from '../model/workload/api-flood.ts';
import { configWatcher } from '../model/workload/config-watcher.ts';
import { configWriter } from '../model/workload/config-writer.ts';
import { etcdctl } from '../model/workload/etcdctl.ts';
import { type Errand, RunningErrand } from '../model/workload/errand.ts';
import { Kubectl, type UserOrder } from '../model/workload/kubectl.ts';
import { leaseClient } from '../model/workload/lease-client.ts';
import { lockClient } from '../model/workload/lock-client.ts';
import { moveLeader } from '../model/workload/move-leader.ts';
import { DEFAULT_TRAFFIC_CONFIG, traffic } from '../model/workload/traffic.ts';
import { storeClient } from '../model/workload/store-client.ts';
import type { StoredObject } from '../properties/property.ts';
import { MILLISECOND, SECOND } from '../sim/time.ts';
import type { Process } from '../sim/process.ts';
import type { Task } from '../sim/task.ts';
import type { World } from '../sim/world.ts';
import { topologyOf } from './shape.ts';
import type { System } from './system.ts';
import type { ConfigClients, TrialInput } from './trial-input.ts';

/** Clients begin once the applications had time to start. */
const TRAFFIC_FROM_US = 40 * SECOND;

/** Builds the cluster of a trial with its users, and holds it for the harness. */
export function clusterSystem(world: World, input: TrialInput, facts: Facts): System {
  const { etcdAppendBytesMax, etcdSnapshotCount, etcdCompactionBatch, etcdVariants } = input.cluster;
  const defects = new Set(input.defects);
  const etcd = {
    ...(etcdVariants === undefined ? {} : { variants: new Set(etcdVariants) }),
    ...(etcdAppendBytesMax === undefined ? {} : { appendBytesMax: etcdAppendBytesMax }),
    ...(etcdCompactionBatch === undefined ? {} : { compactionBatchLimit: etcdCompactionBatch }),
    ...(etcdSnapshotCount === undefined
      ? {}
      : { snapshotCount: etcdSnapshotCount, snapshotCatchUpEntries: Math.ceil(etcdSnapshotCount / 10) }),
  };
  const cluster = buildCluster(world, input.cluster, {
    facts,
    defects,
    featureGates: input.featureGates,
    overrides: {
      // Who owns which field costs half of a write and shows only to who applies server-side: no user of a trial does.
      serverOptions: { managedFields: false },
      etcd,
    },
  });
  const topology = topologyOf(input.cluster);
  const members = cluster.etcdEndpoints.map((endpoint, i) => ({ name: `etcd-${i}`, endpoint }));
  const notes = new Set<string>(cluster.warnings);
  const committed = followCommitted(facts);
  let storeRunning = true;
  let storeEase = 1;
  const { store } = input.workload;
  if (store !== null) {
    const { clients, watches, readers = 0 } = store;
    const firstMembers = members.slice(0, members.length - (input.cluster.etcdSpares ?? 0));
    const named = (names: readonly string[] | undefined) =>
      names === undefined ? firstMembers : members.filter((member) => names.includes(member.name));
    const [clientsAt, readersAt] = [named(store.clientsAt), named(store.readersAt)];
    for (let index = 0; index < clients + readers; index++) {
      const does = { watch: index < watches, onlyReads: index >= clients, members: index < clients ? clientsAt : readersAt };
      const pace = { running: () => storeRunning, ease: () => storeEase };
      world.host('client-0').install(storeClient({ ...store, ...does, ...pace, index, facts }));
    }
  }
  const { configs } = input.workload;
  const servers = cluster.apiServers;
  for (let index = 0; index < (configs?.writers ?? 0); index++) {
    const { namespace, perSecond } = configs as ConfigClients;
    world.host('client-0').install(configWriter({ index, servers, namespace, perSecond, running: () => storeRunning }));
  }
  for (let index = 0; index < (configs?.watchers ?? 0); index++)
    world.host('client-0').install(configWatcher({ index, servers, namespace: (configs as ConfigClients).namespace, facts }));
  for (let index = 0; index < (store?.locks ?? 0); index++)
    world.host('client-0').install(lockClient({ index, members, facts, trustsLease: defects.has('E14'), running: () => storeRunning }));
  for (let index = 0; index < (store?.leases ?? 0); index++)
    world.host('client-0').install(leaseClient({ index, members, facts, running: () => storeRunning }));
  const user = input.cluster.kubernetes
    ? new Kubectl({
        name: 'user-0',
        servers: cluster.apiServers,
        facts,
        onRefused: (source, message) => notes.add(`${source}: refused by the API server: ${message}`),
      })
    : undefined;
  if (user !== undefined) world.host('client-0').install(user.program());
  let requests = 0;
  input.workload.traffic.forEach((spec, i) => {
    const { to, port, perSecond, timeoutMs } = spec;
    const config = {
      ...DEFAULT_TRAFFIC_CONFIG,
      client: `client-${i}`,
      service: to,
      port,
      requestsPerSecond: perSecond,
      timeoutUs: timeoutMs * MILLISECOND,
    };
    const program = traffic({
      config: { ...config, startAfterUs: TRAFFIC_FROM_US },
      facts,
      entries: cluster.nodeRules,
      nextRequest: () => ++requests,
    });
    world.host('client-0').install(program);
  });
  let commands = 0;
  let floods = 0;
  const runEtcdctl = (task: (process: Process, errand: RunningErrand) => Task<void>): Errand => {
    const name = `etcdctl-${++commands}`;
    const errand = new RunningErrand();
    world.host('client-0').install({ name, start: (process) => process.spawn(name, task(process, errand)) });
    return errand;
  };
  // A store without Kubernetes has no user; nothing is ordered there.
  const order = (what: UserOrder): Errand => user?.order(what) ?? { taken: 0 };
  return {
    topology,
    members: members.map((m) => m.name),
    operator: {
      deployments: input.manifests
        .filter((m) => m.object.kind === 'Deployment')
        .map((m) => `${m.object.metadata.namespace ?? 'default'}/${m.object.metadata.name ?? ''}`),
      setImage: (deployment, image) => order({ what: 'set-image', deployment, image }),
      scale: (deployment, replicas) => order({ what: 'scale', deployment, replicas }),
      applyDeployment: (deployment, image, replicas) => order({ what: 'apply-deployment', deployment, image, replicas }),
      lagCloud: (lagUs) => {
        const { inventory } = cluster;
        const before = inventory.outdated;
        inventory.lagUs += lagUs;
        return {
          heal: () => {
            inventory.lagUs -= lagUs;
          },
          touched: () => inventory.outdated - before,
        };
      },
      reclaimMachine: (machine) => cluster.reclaim(machine),
      deleteNode: (name) => order({ what: 'delete', kind: 'node', name }),
      deleteNamespace: (name) => order({ what: 'delete', kind: 'namespace', name }),
      deletePod: (workload, ordinal) => order({ what: 'delete-pod', workload, ordinal }),
      drain: (node) => order({ what: 'drain', node }),
      uncordon: (node) => void user?.order({ what: 'uncordon', node }),
      podProcesses: (workload, ordinal) => podProcesses(world, committed, workload, ordinal),
      floodApi: (requests, objects) => {
        const flood = new ApiFlood({ name: `crawler-${++floods}`, servers: cluster.apiServers, requests, objects });
        world.host('client-0').install(flood.program());
        return flood;
      },
      moveLeader: (member) => runEtcdctl((process, errand) => moveLeader(process, members, member, errand)),
      etcdctl: (what, through) => runEtcdctl((process, errand) => etcdctl(process, members, what, through, errand)),
    },
    applyManifests: () => {
      for (const { source, object } of input.manifests) {
        const [group, version] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : ['', object.apiVersion];
        if (kindOfKind(group ?? '', version ?? '', object.kind) === undefined)
          notes.add(`${object.apiVersion} ${object.kind} is not modelled: accepted as opaque`);
        user?.order({ what: 'apply', source, object });
      }
    },
    stopUsers: () => user?.stop(),
    easeStoreClients: (times) => {
      storeEase = times;
    },
    stopStoreClients: () => {
      storeRunning = false;
    },
    storedObjects: () => storedObjects(committed),
    notes: () => [...notes].sort(),
  };
}

/** The newest committed value of every key, by the facts. */
function followCommitted(facts: Facts): ReadonlyMap<string, object> {
  const committed = new Map<string, object>();
  facts.objectChanged.subscribe((_revision, key, object) => {
    if (object === undefined) committed.delete(key);
    else committed.set(key, object);
  });
  return committed;
}

/** Containers of the nth pod of a workload, found as somebody with access to the machines would: by the pod's node and uid. */
function podProcesses(world: World, committed: ReadonlyMap<string, object>, workload: string, ordinal: number): readonly Process[] {
  const [namespace, name] = workload.split('/');
  const prefix = `/registry/pods/${namespace}/${name}-`;
  const keys = [...committed.keys()].filter((key) => key.startsWith(prefix)).sort();
  const key = keys[ordinal % Math.max(1, keys.length)];
  const pod = (key === undefined ? undefined : committed.get(key)) as Pod | undefined;
  const host = pod?.spec.nodeName === undefined ? undefined : world.findHost(pod.spec.nodeName);
  return host?.processes().filter((process) => process.name.startsWith(`ctr/${pod?.metadata.uid ?? '?'}/`)) ?? [];
}

function storedObjects(committed: ReadonlyMap<string, object>): readonly StoredObject[] {
  const out: StoredObject[] = [];
  for (const key of [...committed.keys()].sort()) {
    const object = committed.get(key) as {
      readonly apiVersion?: string;
      readonly kind?: string;
      readonly metadata?: { readonly namespace?: string; readonly name?: string };
    };
    if (typeof object.kind !== 'string' || typeof object.apiVersion !== 'string' || object.kind === 'Event') continue;
    const [group, version] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : ['', object.apiVersion];
    const resource = kindOfKind(group ?? '', version ?? '', object.kind)?.resource ?? object.kind.toLowerCase();
    out.push({
      resource,
      namespace: object.metadata?.namespace ?? '',
      name: object.metadata?.name ?? '',
      object: object as StoredObject['object'],
    });
  }
  return out;
}
