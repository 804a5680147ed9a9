import type { Kind } from './api/kind.ts';
import { builtInKinds } from './api/kinds/registry.ts';
import { admissionPlugins } from './apiserver/admission/default-plugins.ts';
import { apiServer, type ApiServerConfig } from './apiserver/server.ts';
import { EtcdStorage } from './apiserver/etcd-storage.ts';
import type { ServerOptions } from './apiserver/server-context.ts';
import { StoredObject } from './apiserver/stored-object.ts';
import { ApiTransport } from './client/transport.ts';
import { cloudControllerManager } from './cloud/cloud-controller-manager.ts';
import { clusterAutoscaler } from './cloud/cluster-autoscaler.ts';
import { CloudLoadBalancers } from './cloud/load-balancers.ts';
import { CloudNodeGroups, type NodeGroup } from './cloud/node-groups.ts';
import { CloudInventory, computeApi } from './cloud/compute.ts';
import { metricsOfServer, metricsServer } from './cloud/metrics-server.ts';
import { markControlPlane } from './cloud/mark-control-plane.ts';
import { type VolumeOffer, volumeOffer, volumeProvisioner } from './cloud/volume-provisioner.ts';
import { Client } from './client/typed-client.ts';
import { controlPlaneAddress, nodeAddress, podCidr } from './cluster-addresses.ts';
import { type ClusterHost, type ClusterRole, type ClusterSpec, clusterWarnings } from './cluster-spec.ts';
import { type ControllerManagerConfig, DEFAULT_CONTROLLER_MANAGER_CONFIG } from './controllers/config.ts';
import { controllerManager } from './controllers/manager.ts';
import type { PodMetricsSource } from './controllers/pod-metrics.ts';
import { CONTROLLERS } from './controllers/registry.ts';
import { type DefectSet, NO_DEFECTS } from './defects.ts';
import { etcdConfig, type EtcdConfig } from './etcd/server/config.ts';
import { etcdMember } from './etcd/server/member.ts';
import type { Facts } from './facts.ts';
import type { KubeletConfig, NodeSpec } from './kubelet/config.ts';
import { kubeProxy } from './network/kube-proxy.ts';
import { NodeRules } from './network/node-rules.ts';
import { REGISTRY_HOST, type RegistryConfig, registryProgram } from './kubelet/runtime/registry.ts';
import { installNode } from './kubelet/node.ts';
import { controlPlaneKind, machinesOf, type NodeKind, poolKind, workerKind } from './node-pools.ts';
import { resolveBehaviour } from './workload/behaviours/registry.ts';
import type { UserInfo } from './api/request.ts';
import { DEFAULT_SCHEDULER_CONFIG, type SchedulerConfig } from './scheduler/config.ts';
import { schedulerProgram } from './scheduler/program.ts';
import type { Host } from '../sim/host.ts';
import type { Endpoint } from '../sim/network.ts';
import type { Process } from '../sim/process.ts';
import { SECOND } from '../sim/time.ts';
import type { World } from '../sim/world.ts';

/** Settings of the programs that differ from the defaults of Kubernetes 1.35 and etcd 3.6. */
export interface ClusterOverrides {
  readonly etcd?: Partial<EtcdConfig>;
  readonly apiServer?: Partial<ApiServerConfig>;
  /** What the API servers' request handling may differ in; `managedFields: false` saves time where nobody applies server-side. */
  readonly serverOptions?: Partial<ServerOptions>;
  readonly controllerManager?: Partial<ControllerManagerConfig>;
  /** Where the autoscaler of pods asks for usage; otherwise the metrics server, where there is one, or the metrics API. */
  readonly podMetrics?: (process: Process) => PodMetricsSource;
  readonly scheduler?: Partial<SchedulerConfig>;
  readonly kubelet?: Partial<KubeletConfig>;
  readonly registry?: RegistryConfig;
  /** The default StorageClass and how its volumes are made; otherwise the preset's. */
  readonly volumes?: VolumeOffer;
}

export interface ClusterConfig {
  readonly facts: Facts;
  readonly defects?: DefectSet;
  /** Feature gates that differ from 1.35's defaults, for every program that knows them. */
  readonly featureGates?: Readonly<Record<string, boolean>>;
  readonly overrides?: ClusterOverrides;
  /** Kinds with rules; default: all built-in ones. */
  readonly kinds?: readonly Kind[];
}

const ZONES = 'abcdefghi';

/** What is simulated is Kubernetes 1.35. */
const KUBERNETES_MINOR = 35;

/** The kubelet of a static pod starts an ended container again after its first back-off. */
const ETCD_RESTART_US = 10 * SECOND;

/** A member that is not wanted yet asks again this soon, as one that an operator starts right after adding it. */
const SPARE_RESTART_US = 1 * SECOND;

/** A built cluster: where everything is. */
export class Cluster {
  readonly world: World;
  readonly spec: ClusterSpec;
  readonly warnings: readonly string[];
  /** Client endpoints of the etcd members, by member index. */
  readonly etcdEndpoints: readonly Endpoint[];
  /** Endpoints of the API servers, by index. */
  readonly apiServers: readonly Endpoint[];
  /** Packet rules of the nodes, by node index: where clients' traffic is routed. */
  readonly nodeRules: readonly NodeRules[];
  /** The cloud's books of machines; empty where the machines are nobody's. */
  readonly inventory: CloudInventory;
  readonly #groups: CloudNodeGroups;
  readonly #hosts: readonly { readonly host: Host; readonly role: ClusterRole }[];

  constructor(
    world: World,
    spec: ClusterSpec,
    hosts: readonly { readonly host: Host; readonly role: ClusterRole }[],
    etcdEndpoints: readonly Endpoint[],
    apiServers: readonly Endpoint[],
    nodeRules: readonly NodeRules[],
    inventory: CloudInventory,
    groups: CloudNodeGroups,
  ) {
    this.world = world;
    this.spec = spec;
    this.warnings = clusterWarnings(spec);
    this.#hosts = hosts;
    this.etcdEndpoints = etcdEndpoints;
    this.apiServers = apiServers;
    this.nodeRules = nodeRules;
    this.inventory = inventory;
    this.#groups = groups;
  }

  /** Whoever owns the machines takes one away for good; false where it was gone already, by his books. */
  reclaim(machine: string): boolean {
    if (this.#groups.holds(machine)) return this.#groups.take(machine, this.world.now);
    if (this.spec.cloud === true && !this.inventory.isRunning(machine)) return false;
    this.inventory.terminate(machine, this.world.now);
    this.world.host(machine).cutPower();
    return true;
  }

  hosts(role: ClusterRole): readonly Host[] {
    return this.#hosts.filter((entry) => entry.role === role).map((entry) => entry.host);
  }

  /** Roles, places and programs of all hosts, for reports and generators. */
  describe(): readonly ClusterHost[] {
    return this.#hosts.map(({ host, role }) => ({ name: host.name, zone: host.zone, role, programs: host.programNames() }));
  }

  /** A client of the API for a program of any host: sticks to one API server, chosen by draw. */
  client(process: Process, user: UserInfo, userAgent: string): Client {
    return new Client(new ApiTransport(process, { servers: this.apiServers, user, userAgent }));
  }
}

/** Builds a cluster into a world: hosts, then every program on them. Programs start at once; nothing has happened yet when this returns. */
export function buildCluster(world: World, spec: ClusterSpec, config: ClusterConfig): Cluster {
  return new ClusterBuilder(world, spec, config).build();
}

class ClusterBuilder {
  readonly #world: World;
  readonly #spec: ClusterSpec;
  readonly #config: ClusterConfig;
  readonly #defects: DefectSet;
  readonly #hosts: { readonly host: Host; readonly role: ClusterRole }[] = [];
  readonly #nodeRules: NodeRules[] = [];
  readonly #inventory = new CloudInventory();
  readonly #nodeGroups: NodeGroup[] = [];
  readonly #cloudGroups: CloudNodeGroups;

  constructor(world: World, spec: ClusterSpec, config: ClusterConfig) {
    this.#world = world;
    this.#spec = spec;
    this.#config = config;
    this.#defects = config.defects ?? NO_DEFECTS;
    this.#cloudGroups = new CloudNodeGroups(this.#nodeGroups, this.#inventory, config.facts);
  }

  build(): Cluster {
    const spec = this.#spec;
    const external = spec.etcd === 'external';
    const etcdHosts = external ? this.#addHosts('etcd-host', 'etcd', spec.etcdMembers ?? 3) : [];
    const controlPlanes = this.#addHosts('cp', 'control-plane', spec.controlPlanes);
    const workers = this.#addHosts('worker', 'worker', spec.workers);
    this.#formGroups(workers);
    this.#addHosts('client', 'client', spec.clients ?? 1);
    const memberHosts = external ? etcdHosts : controlPlanes;
    const etcdEndpoints = memberHosts.map((host) => this.#world.network.endpoint(host.name, '2379'));
    const apiServers = spec.kubernetes ? controlPlanes.map((host) => this.#world.network.endpoint(host.name, '6443')) : [];
    this.#installEtcd(memberHosts);
    if (spec.kubernetes) {
      controlPlanes.forEach((host, index) =>
        this.#installControlPlane(host, index, external ? etcdEndpoints : [etcdEndpoints[index] as Endpoint], apiServers),
      );
      const nodes = spec.controlPlaneNodes === true ? [...controlPlanes, ...workers] : workers;
      if (nodes.length > 0) this.#installRegistry(apiServers);
      nodes.forEach((host, index) => this.#installNode(host, index, apiServers));
      if (spec.controlPlaneNodes === true)
        this.#world.host(REGISTRY_HOST).install(
          markControlPlane(
            controlPlanes.map((host) => host.name),
            apiServers,
          ),
        );
    }
    return new Cluster(this.#world, spec, this.#hosts, etcdEndpoints, apiServers, this.#nodeRules, this.#inventory, this.#cloudGroups);
  }

  #addHosts(prefix: string, role: ClusterRole, count: number): readonly Host[] {
    const hosts: Host[] = [];
    for (let i = 0; i < count; i++) {
      const host = this.#world.addHost({ name: `${prefix}-${i}`, zone: `zone-${ZONES[i % this.#spec.zones]}` });
      this.#hosts.push({ host, role });
      hosts.push(host);
    }
    return hosts;
  }

  /** Pools that can grow are node groups of the cloud; machines that nobody has ordered yet are off. */
  #formGroups(workers: readonly Host[]): void {
    let first = 0;
    for (const [i, pool] of (this.#spec.pools ?? []).entries()) {
      const machines = workers.slice(first, first + machinesOf(pool));
      first += machines.length;
      if (machines.length === pool.workers) continue;
      for (const host of machines.slice(pool.workers)) host.cutPower();
      this.#nodeGroups.push({ name: `pool-${i}`, min: pool.workers, kind: poolKind(this.#spec, pool), machines });
    }
  }

  #installEtcd(hosts: readonly Host[]): void {
    const all = hosts.map((host, index) => ({ name: `etcd-${index}`, peerURL: `http://${host.name}:2380` }));
    const first = hosts.length - (this.#spec.etcdSpares ?? 0);
    const initialCluster = all.slice(0, first);
    const spares = all.slice(first);
    const told = { revision: 1, compacted: 0 };
    hosts.forEach((host, index) => {
      const input = {
        name: `etcd-${index}`,
        peerURL: `http://${host.name}:2380`,
        clientURL: `http://${host.name}:2379`,
        initialCluster,
        spares,
        ...(index < first ? {} : { initialClusterState: 'existing' as const }),
        facts: this.#config.facts,
        told,
        defects: this.#defects,
        // kubeadm's manifest sets it (cmd/kubeadm/app/phases/etcd/local.go).
        initialCorruptCheck: this.#spec.kubernetes,
        reveal: (value: unknown) => (value instanceof StoredObject ? value.raw : undefined),
        ...this.#config.overrides?.etcd,
      };
      host.install(etcdMember(etcdConfig(input), index < first ? ETCD_RESTART_US : SPARE_RESTART_US));
    });
  }

  #installControlPlane(host: Host, index: number, etcd: readonly Endpoint[], apiServers: readonly Endpoint[]): void {
    const { facts, featureGates, overrides, kinds } = this.#config;
    host.install(
      apiServer({
        name: `api-${index}`,
        address: host.name,
        advertiseAddress: controlPlaneAddress(index),
        storage: (process) => new EtcdStorage(process, etcd, index % etcd.length),
        options: { featureGates: featureGates ?? {}, opaqueKinds: true, defects: this.#defects, ...overrides?.serverOptions },
        facts,
        kinds: kinds ?? builtInKinds,
        admission: admissionPlugins(),
        ...(overrides?.apiServer === undefined ? {} : { config: overrides.apiServer }),
      }),
    );
    host.install(
      controllerManager({
        name: `kcm-${index}`,
        // kubeadm gives the managers and schedulers of a host its own API server, and no other.
        servers: [apiServers[index] as Endpoint],
        controllers: CONTROLLERS,
        config: {
          ...DEFAULT_CONTROLLER_MANAGER_CONFIG,
          watchList: featureGates?.WatchListClient ?? true,
          featureGates: featureGates ?? {},
          ...overrides?.controllerManager,
        },
        facts,
        defects: this.#defects,
        ...(overrides?.podMetrics !== undefined
          ? { metrics: overrides.podMetrics }
          : this.#spec.metricsServer === true
            ? { metrics: (process: Process) => metricsOfServer(process, this.#world.network, REGISTRY_HOST) }
            : {}),
      }),
    );
    host.install(
      schedulerProgram({
        name: `scheduler-${index}`,
        servers: [apiServers[index] as Endpoint],
        config: { ...DEFAULT_SCHEDULER_CONFIG, watchList: featureGates?.WatchListClient ?? true, ...overrides?.scheduler },
        facts,
        defects: this.#defects,
      }),
    );
  }

  /** What stands outside of the cluster: the one registry that all nodes pull from, and the maker of volumes. */
  #installRegistry(servers: readonly Endpoint[]): void {
    const host = this.#world.addHost({ name: REGISTRY_HOST, zone: 'zone-a' });
    this.#hosts.push({ host, role: 'cloud' });
    host.install(registryProgram(this.#config.overrides?.registry));
    const { facts, overrides } = this.#config;
    const offer = overrides?.volumes ?? volumeOffer(this.#spec.preset);
    host.install(volumeProvisioner({ offer, servers, facts }));
    if (this.#spec.metricsServer === true) host.install(metricsServer(servers));
    if (this.#spec.cloud === true) {
      for (const { host: machine } of this.#hosts) if (machine.up) this.#inventory.launch(machine.name, this.#world.now);
      host.install(computeApi(this.#inventory, this.#cloudGroups, new CloudLoadBalancers(facts)));
      if (this.#nodeGroups.length > 0) host.install(clusterAutoscaler({ servers, cloud: REGISTRY_HOST }));
      host.install(cloudControllerManager({ servers, cloud: REGISTRY_HOST, defects: this.#defects }));
    }
  }

  #installNode(host: Host, index: number, servers: readonly Endpoint[]): void {
    const { facts, featureGates, overrides } = this.#config;
    const kind = this.#nodeKind(host);
    installNode(host, {
      spec: nodeSpec(host, index, kind),
      servers,
      facts,
      defects: this.#defects,
      behaviours: resolveBehaviour,
      runtime: kind.runtime,
      watchListClient: featureGates?.WatchListClient ?? true,
      kubelet: { maxPods: kind.pods, ...overrides?.kubelet },
    });
    const rules = new NodeRules(host);
    this.#nodeRules.push(rules);
    host.install(
      kubeProxy({ node: host.name, rules, servers, facts, defects: this.#defects, watchListClient: featureGates?.WatchListClient ?? true }),
    );
  }

  #nodeKind(host: Host): NodeKind {
    return host.name.startsWith('cp-') ? controlPlaneKind(this.#spec) : workerKind(this.#spec, Number(host.name.slice('worker-'.length)));
  }
}

function nodeSpec(host: Host, index: number, kind: NodeKind): NodeSpec {
  return {
    name: host.name,
    internalIp: nodeAddress(index),
    podCidr: podCidr(index),
    os: kind.os,
    arch: 'amd64',
    cpuMilli: kind.cpuMilli,
    memoryBytes: kind.memoryBytes,
    ephemeralStorageBytes: 100 * 1024 ** 3,
    zone: host.zone,
    region: 'region-1',
    labels: kind.labels,
    taints: kind.taints,
    kubeletVersion: `v1.${KUBERNETES_MINOR}.4`,
  };
}
