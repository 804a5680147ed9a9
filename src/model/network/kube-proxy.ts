import type { Program } from '../../sim/host.ts';
import type { Endpoint as NetworkEndpoint } from '../../sim/network.ts';
import type { Process } from '../../sim/process.ts';
import { MILLISECOND, SECOND, type Micros } from '../../sim/time.ts';
import type { EndpointSlice, Node, Service } from '../api/types.ts';
import { InformerFactory } from '../client/informer-factory.ts';
import { ENDPOINT_SLICES, NODES, SERVICES } from '../client/resources.ts';
import { ApiTransport } from '../client/transport.ts';
import type { DefectSet } from '../defects.ts';
import type { Facts } from '../facts.ts';
import type { NodeRules } from './node-rules.ts';
import { type ServiceRule, serviceRules } from './service-rule.ts';

/** KubeProxyConfiguration of Kubernetes 1.35, as far as it is modelled. */
export interface KubeProxyConfig {
  /** Two syncs are at least this far apart (iptables.minSyncPeriod). */
  readonly minSyncPeriodUs: Micros;
  /** One sync: a fixed part, and a part for each endpoint of the whole table that the kernel loads. */
  readonly syncUs: Micros;
  readonly syncPerEndpointUs: Micros;
}

export const DEFAULT_KUBE_PROXY_CONFIG: KubeProxyConfig = {
  minSyncPeriodUs: SECOND,
  // kubeproxy_sync_proxy_rules_duration_seconds of small clusters; KEP-3453 states seconds for tens of thousands of endpoints.
  syncUs: 40 * MILLISECOND,
  syncPerEndpointUs: 20,
};

export interface KubeProxyOptions {
  readonly node: string;
  readonly rules: NodeRules;
  readonly servers: readonly NetworkEndpoint[];
  readonly facts: Facts;
  readonly defects?: DefectSet;
  readonly config?: Partial<KubeProxyConfig>;
  readonly watchListClient?: boolean;
}

/** kube-proxy as a program: keeps a node's packet rules in step with Services and EndpointSlices. Upstream pkg/proxy/iptables. */
export function kubeProxy(options: KubeProxyOptions): Program {
  return {
    name: `kube-proxy-${options.node}`,
    restartAfterUs: 5 * SECOND,
    start(process) {
      new KubeProxy(process, options).start();
    },
  };
}

const SERVICE_NAME = 'kubernetes.io/service-name';
const HEADLESS = 'service.kubernetes.io/headless';
const PROXY_NAME = 'service.kubernetes.io/service-proxy-name';
const ZONE = 'topology.kubernetes.io/zone';

class KubeProxy {
  readonly #process: Process;
  readonly #options: KubeProxyOptions;
  readonly #config: KubeProxyConfig;
  readonly #services = new Map<string, Service>();
  readonly #slices = new Map<string, Map<string, EndpointSlice>>();
  readonly #dirty = new Set<string>();
  #zone: string | undefined;
  #synced = false;
  #endpoints = 0;
  #lastSync: Micros = Number.NEGATIVE_INFINITY;
  #timer = 0;
  #busy = false;

  constructor(process: Process, options: KubeProxyOptions) {
    this.#process = process;
    this.#options = options;
    this.#config = { ...DEFAULT_KUBE_PROXY_CONFIG, ...options.config };
  }

  start(): void {
    const { node, servers, facts } = this.#options;
    const transport = new ApiTransport(this.#process, {
      servers,
      user: { name: 'system:kube-proxy', groups: ['system:authenticated'] },
      userAgent: 'kube-proxy',
      facts,
    });
    const factory = new InformerFactory(transport, { watchList: this.#options.watchListClient !== false });
    const selector = `!${HEADLESS},!${PROXY_NAME}`;
    factory.informer<Service>(SERVICES, { labelSelector: selector }).addHandler({
      onAdd: (service) => this.#serviceChanged(service),
      onUpdate: (_before, service) => this.#serviceChanged(service),
      onDelete: (service) => {
        this.#services.delete(keyOf(service));
        this.#touch(keyOf(service));
      },
    });
    factory.informer<EndpointSlice>(ENDPOINT_SLICES, { labelSelector: selector }).addHandler({
      onAdd: (slice) => this.#sliceChanged(slice, false),
      onUpdate: (_before, slice) => this.#sliceChanged(slice, false),
      onDelete: (slice) => this.#sliceChanged(slice, true),
    });
    factory.informer<Node>(NODES, { fieldSelector: `metadata.name=${node}` }).addHandler({
      onAdd: (object) => this.#nodeChanged(object),
      onUpdate: (_before, object) => this.#nodeChanged(object),
    });
    factory.start();
    const process = this.#process;
    const done = () => {
      this.#synced = true;
      // Services that were removed while this proxy was away: what the kernel still has and nobody wants.
      for (const service of this.#options.rules.services()) if (!this.#services.has(service)) this.#dirty.add(service);
      this.#schedule();
    };
    process.spawn('wait-for-caches', factory.waitForSync(), done);
  }

  #serviceChanged(service: Service): void {
    this.#services.set(keyOf(service), service);
    this.#touch(keyOf(service));
  }

  #sliceChanged(slice: EndpointSlice, gone: boolean): void {
    const name = slice.metadata.labels?.[SERVICE_NAME];
    if (name === undefined || name === '') return;
    const service = `${slice.metadata.namespace ?? ''}/${name}`;
    let slices = this.#slices.get(service);
    if (slices === undefined) {
      slices = new Map();
      this.#slices.set(service, slices);
    }
    const sliceName = slice.metadata.name ?? '';
    this.#endpoints -= slices.get(sliceName)?.endpoints?.length ?? 0;
    if (gone) slices.delete(sliceName);
    else {
      slices.set(sliceName, slice);
      this.#endpoints += slice.endpoints?.length ?? 0;
    }
    this.#touch(service);
  }

  #nodeChanged(node: Node): void {
    const zone = node.metadata.labels?.[ZONE];
    if (zone === this.#zone) return;
    this.#zone = zone;
    for (const service of [...this.#services.keys()].sort()) this.#touch(service);
  }

  #touch(service: string): void {
    this.#dirty.add(service);
    this.#schedule();
  }

  /** Upstream BoundedFrequencyRunner: at once when the last sync is long enough ago, else when it is. */
  #schedule(): void {
    if (!this.#synced || this.#timer !== 0 || this.#busy || this.#dirty.size === 0) return;
    const wait = Math.max(0, this.#lastSync + this.#config.minSyncPeriodUs - this.#process.mono());
    this.#timer = this.#process.after(wait, () => {
      this.#timer = 0;
      this.#sync();
    });
  }

  /** Rules of the services that changed; the kernel has them when the whole table is loaded. */
  #sync(): void {
    this.#lastSync = this.#process.mono();
    this.#busy = true;
    const changes: { readonly service: string; readonly rules: readonly ServiceRule[] }[] = [];
    const dropsTerminating = this.#options.defects?.has('K23') ?? false;
    for (const name of [...this.#dirty].sort()) {
      const service = this.#services.get(name);
      const slices = [...(this.#slices.get(name)?.values() ?? [])];
      const headless = service?.spec?.clusterIP === 'None' || service?.spec?.clusterIP === undefined;
      const rules =
        service === undefined || headless
          ? []
          : serviceRules({ service, slices, node: this.#options.node, zone: this.#zone, dropsTerminating });
      changes.push({ service: name, rules });
    }
    this.#dirty.clear();
    this.#process.after(this.#config.syncUs + this.#endpoints * this.#config.syncPerEndpointUs, () => {
      this.#program(changes);
      this.#busy = false;
      this.#schedule();
    });
  }

  #program(changes: readonly { readonly service: string; readonly rules: readonly ServiceRule[] }[]): void {
    const { rules, facts, node } = this.#options;
    if (!this.#process.effect('disk')) return;
    for (const change of changes) {
      const before = rules.rules(change.service);
      rules.set(change.service, change.rules);
      if (!facts.endpointsProgrammed.on) continue;
      for (const rule of change.rules) {
        const text = backendsText(rule);
        const old = before.find((candidate) => candidate.port === rule.port && candidate.portName === rule.portName);
        if (old === undefined || backendsText(old) !== text)
          facts.endpointsProgrammed.emit(node, change.service, rule.portName === '' ? String(rule.port) : rule.portName, text);
      }
      for (const old of before) {
        const gone = !change.rules.some((rule) => rule.port === old.port && rule.portName === old.portName);
        if (gone) facts.endpointsProgrammed.emit(node, change.service, old.portName === '' ? String(old.port) : old.portName, '');
      }
    }
  }
}

function backendsText(rule: ServiceRule): string {
  return rule.internal
    .map(({ address, port }) => `${address}:${port}`)
    .sort()
    .join(',');
}

function keyOf(object: Service): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`;
}
