import type { Host } from '../../sim/host.ts';
import { SECOND, type Micros } from '../../sim/time.ts';
import type { Backend, ServiceRule } from './service-rule.ts';

/** Where a packet to a service goes. */
export type Route =
  | { readonly kind: 'backend'; readonly backend: Backend }
  /** No endpoints: an ICMP reject, which a client sees as a refused connection. */
  | { readonly kind: 'refused' }
  /** Dropped in silence. */
  | { readonly kind: 'dropped' }
  /** The node has no rule for that service: nothing answers at its address. */
  | { readonly kind: 'unknown' };

export interface RouteQuery {
  /** 'namespace/name'. */
  readonly service: string;
  /** Number or name of the service's port; undefined: its first. */
  readonly port: number | string | undefined;
  /** From outside of the cluster, through a node port or load balancer. */
  readonly external: boolean;
  /** Address of the client, for session affinity. */
  readonly client: string;
}

/**
 * The packet rules and connection tracking in the kernel of one node. kube-proxy writes them; they go on working when it is gone, and are
 * lost with the machine's memory.
 */
export class NodeRules {
  readonly host: Host;
  #rules = new Map<string, readonly ServiceRule[]>();
  #byClusterIp = new Map<string, string>();
  #boot: number;
  readonly #affinity = new Map<string, { readonly backend: string; readonly until: Micros }>();

  constructor(host: Host) {
    this.host = host;
    this.#boot = host.boots;
  }

  /** Rules of a service as they are programmed now. */
  rules(service: string): readonly ServiceRule[] {
    this.#forgetOldBoot();
    return this.#rules.get(service) ?? [];
  }

  /** All services with rules, in code-unit order. */
  services(): readonly string[] {
    this.#forgetOldBoot();
    return [...this.#rules.keys()].sort();
  }

  /** The service that owns a cluster IP. */
  serviceOf(clusterIp: string): string | undefined {
    this.#forgetOldBoot();
    return this.#byClusterIp.get(clusterIp);
  }

  /** Replaces the rules of one service; none: removes it. */
  set(service: string, rules: readonly ServiceRule[]): void {
    this.#forgetOldBoot();
    for (const old of this.#rules.get(service) ?? [])
      if (this.#byClusterIp.get(old.clusterIp) === service) this.#byClusterIp.delete(old.clusterIp);
    if (rules.length === 0) {
      this.#rules.delete(service);
      return;
    }
    this.#rules.set(service, rules);
    for (const rule of rules) if (rule.clusterIp !== '' && rule.clusterIp !== 'None') this.#byClusterIp.set(rule.clusterIp, service);
  }

  /** Chooses the backend of a new connection, as the rules' random match does. Established ones keep theirs: they do not come here. */
  route(query: RouteQuery): Route {
    const rules = this.rules(query.service);
    const rule =
      query.port === undefined
        ? rules[0]
        : rules.find(
            (candidate) => candidate.port === query.port || candidate.portName === query.port || candidate.nodePort === query.port,
          );
    if (rule === undefined) return { kind: 'unknown' };
    const backends = query.external ? rule.external : rule.internal;
    if (backends.length === 0) return { kind: (query.external ? rule.externalLocal : rule.internalLocal) ? 'dropped' : 'refused' };
    const random = this.host.world.randomness.stream(`proxy/${this.host.name}`);
    if (rule.affinitySeconds === 0) return { kind: 'backend', backend: random.pick(backends) };
    const key = `${query.client}|${rule.service}|${rule.port}`;
    const now = this.host.clock.mono();
    const pinned = this.#affinity.get(key);
    const known =
      pinned !== undefined && pinned.until > now
        ? backends.find((backend) => `${backend.address}:${backend.port}` === pinned.backend)
        : undefined;
    const chosen = known ?? random.pick(backends);
    this.#affinity.set(key, { backend: `${chosen.address}:${chosen.port}`, until: now + rule.affinitySeconds * SECOND });
    return { kind: 'backend', backend: chosen };
  }

  #forgetOldBoot(): void {
    if (this.#boot === this.host.boots) return;
    this.#boot = this.host.boots;
    this.#rules = new Map();
    this.#byClusterIp = new Map();
    this.#affinity.clear();
  }
}
