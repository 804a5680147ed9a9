import type { Host } from '../../sim/host.ts';
import type { Process } from '../../sim/process.ts';
import { SECOND, type Micros } from '../../sim/time.ts';
import type { NodeRules } from './node-rules.ts';

export interface LoadBalancerConfig {
  readonly periodUs: Micros;
  /** So many checks in a row that fail take a node out, so many that succeed take it back in. */
  readonly unhealthyAfter: number;
  readonly healthyAfter: number;
}

/** Common defaults of cloud load balancers. */
export const DEFAULT_LOAD_BALANCER_CONFIG: LoadBalancerConfig = { periodUs: 10 * SECOND, unhealthyAfter: 2, healthyAfter: 1 };

interface Target {
  readonly entry: NodeRules;
  healthy: boolean;
  /** Checks in a row that say otherwise. */
  against: number;
}

/**
 * The health checks of a load balancer in front of a Service with traffic policy Local: each node's kube-proxy says whether it has ready
 * endpoints of its own (spec.healthCheckNodePort, upstream pkg/proxy/healthcheck). Between two checks it believes the last ones.
 */
export class LoadBalancer {
  readonly #process: Process;
  readonly #service: string;
  readonly #config: LoadBalancerConfig;
  readonly #targets: readonly Target[];

  constructor(process: Process, service: string, entries: readonly NodeRules[], config: LoadBalancerConfig = DEFAULT_LOAD_BALANCER_CONFIG) {
    this.#process = process;
    this.#service = service;
    this.#config = config;
    this.#targets = entries.map((entry) => ({ entry, healthy: this.#check(entry), against: 0 }));
    // Nodes are not all checked at the same moment.
    this.#targets.forEach((target, i) => {
      process.after(Math.floor((config.periodUs * (i + 1)) / this.#targets.length), () => this.#round(target));
    });
  }

  /** The nodes that take new connections; all of them where no check succeeds. */
  get targets(): readonly NodeRules[] {
    const healthy = this.#targets.filter((target) => target.healthy);
    return (healthy.length === 0 ? this.#targets : healthy).map((target) => target.entry);
  }

  #round(target: Target): void {
    const { periodUs, unhealthyAfter, healthyAfter } = this.#config;
    if (this.#check(target.entry) === target.healthy) target.against = 0;
    else if (++target.against >= (target.healthy ? unhealthyAfter : healthyAfter)) {
      target.healthy = !target.healthy;
      target.against = 0;
    }
    this.#process.after(periodUs, () => this.#round(target));
  }

  #check(entry: NodeRules): boolean {
    return reachable(this.#process.host, entry.host) && entry.rules(this.#service).some((rule) => rule.localReady > 0);
  }
}

/** Packets pass in both directions. */
export function reachable(from: Host, to: Host): boolean {
  const { network } = from.world;
  return from === to || (to.up && network.link(from, to)?.blocked !== true && network.link(to, from)?.blocked !== true);
}
