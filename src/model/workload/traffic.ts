import type { CloseReason, Connection } from '../../sim/connection.ts';
import type { Program } from '../../sim/host.ts';
import type { Process } from '../../sim/process.ts';
import { SECOND, type Micros } from '../../sim/time.ts';
import type { Facts } from '../facts.ts';
import { LoadBalancer, reachable } from '../network/load-balancer.ts';
import type { NodeRules, Route } from '../network/node-rules.ts';
import { REQUEST_BYTES, type ServiceAnswer, type ServiceRequest } from './request.ts';

/** How a request ended, as its client saw it. */
export type RequestOutcome = 'ok' | 'refused' | 'timeout' | 'reset' | 'no-backend' | 'error';

export interface TrafficConfig {
  /** Name of the client, as facts name it. */
  readonly client: string;
  /** 'namespace/name'. */
  readonly service: string;
  readonly port?: number | string;
  readonly requestsPerSecond: number;
  readonly timeoutUs: Micros;
  /** True: connections are kept and used again (an HTTP client's pool), so they stay with the backend they were opened to. */
  readonly keepAlive: boolean;
  /** First request so long after the program's start. */
  readonly startAfterUs: Micros;
  /** No request any more after this much time; absent: goes on. */
  readonly durationUs?: Micros;
}

export const DEFAULT_TRAFFIC_CONFIG: Omit<TrafficConfig, 'client' | 'service'> = {
  requestsPerSecond: 10,
  timeoutUs: SECOND,
  keepAlive: false,
  startAfterUs: 0,
};

export interface TrafficOptions {
  readonly config: TrafficConfig;
  readonly facts: Facts;
  /**
   * Packet rules of the nodes that take this client's traffic. Of its own host alone: a client within the cluster. Of several others: the
   * nodes behind a load balancer or node port, of which each new connection goes to one.
   */
  readonly entries: readonly NodeRules[];
  /** Numbers requests across all clients of a trial. */
  readonly nextRequest: () => number;
}

/** A client that sends requests through a Service at a fixed rate and notes how each ended. */
export function traffic(options: TrafficOptions): Program {
  return {
    name: `traffic-${options.config.client}`,
    restartAfterUs: SECOND,
    start(process) {
      new TrafficClient(process, options).start();
    },
  };
}

/** Two failed checks ten seconds apart: the common default of cloud load balancers. */
const HEALTH_CHECK: Micros = 20 * SECOND;

interface Open {
  readonly id: number;
  readonly connection: Connection | undefined;
  readonly timer: number;
  readonly pod: string;
}

class TrafficClient {
  readonly #process: Process;
  readonly #options: TrafficOptions;
  readonly #open = new Map<number, Open>();
  /** Entry nodes that did not answer, and since when. */
  readonly #downSince = new Map<string, Micros>();
  /** Idle connections by backend. */
  readonly #idle: { readonly connection: Connection; readonly pod: string }[] = [];
  #loadBalancer: LoadBalancer | undefined;
  #stopAt: Micros = Number.POSITIVE_INFINITY;

  constructor(process: Process, options: TrafficOptions) {
    this.#process = process;
    this.#options = options;
  }

  start(): void {
    const { config } = this.#options;
    if (config.durationUs !== undefined) this.#stopAt = this.#process.mono() + config.startAfterUs + config.durationUs;
    this.#process.after(config.startAfterUs, () => this.#next());
  }

  #next(): void {
    if (this.#process.mono() >= this.#stopAt) return;
    this.#process.after(Math.max(1, Math.floor(SECOND / this.#options.config.requestsPerSecond)), () => this.#next());
    this.#send();
  }

  #send(): void {
    const { config, facts } = this.#options;
    const id = this.#options.nextRequest();
    facts.requestSent.emit(id, config.client, config.service);
    const idle = config.keepAlive ? this.#takeIdle() : undefined;
    if (idle !== undefined) {
      this.#begin(id, idle.connection, idle.pod);
      idle.connection.send({ id } satisfies ServiceRequest, REQUEST_BYTES);
      return;
    }
    const entry = this.#entry();
    // Packets to a node that is down or cut off vanish: the client waits.
    if (entry === undefined) {
      this.#begin(id, undefined, '');
      return;
    }
    const external = entry.host !== this.#process.host;
    const route = entry.route({ service: config.service, port: config.port, external, client: this.#process.host.name });
    this.#follow(id, route);
  }

  #follow(id: number, route: Route): void {
    switch (route.kind) {
      case 'unknown':
      case 'refused':
        this.#finish(id, route.kind === 'refused' ? 'no-backend' : 'refused', '');
        return;
      case 'dropped':
        this.#begin(id, undefined, '');
        return;
      case 'backend':
        this.#connect(id, route);
    }
  }

  #connect(id: number, route: Extract<Route, { kind: 'backend' }>): void {
    const { network } = this.#process.world;
    const { address, port, pod } = route.backend;
    const connection = network.connect(
      this.#process,
      network.endpoint(address, String(port)),
      {
        onMessage: (payload, from) => this.#answered(payload as ServiceAnswer, from),
        onClose: (reason, from) => this.#closed(reason, from),
      },
      { connectTimeoutUs: this.#options.config.timeoutUs },
    );
    this.#begin(id, connection, pod);
    connection.send({ id } satisfies ServiceRequest, REQUEST_BYTES);
  }

  #begin(id: number, connection: Connection | undefined, pod: string): void {
    const timer = this.#process.after(this.#options.config.timeoutUs, () => {
      this.#open.delete(id);
      connection?.close();
      this.#finish(id, 'timeout', pod);
    });
    this.#open.set(id, { id, connection, timer, pod });
  }

  #answered(answer: ServiceAnswer, connection: Connection): void {
    const open = this.#open.get(answer.id);
    if (open === undefined) return;
    this.#open.delete(answer.id);
    this.#process.cancel(open.timer);
    if (this.#options.config.keepAlive) this.#idle.push({ connection, pod: answer.pod });
    else connection.close();
    this.#finish(answer.id, answer.ok ? 'ok' : 'error', answer.pod);
  }

  #closed(reason: CloseReason, connection: Connection): void {
    const at = this.#idle.findIndex((idle) => idle.connection === connection);
    if (at >= 0) this.#idle.splice(at, 1);
    for (const open of [...this.#open.values()]) {
      if (open.connection !== connection) continue;
      this.#open.delete(open.id);
      this.#process.cancel(open.timer);
      this.#finish(
        open.id,
        reason === 'refused' ? 'refused' : reason === 'connect-timeout' || reason === 'keepalive-timeout' ? 'timeout' : 'reset',
        open.pod,
      );
    }
  }

  #finish(id: number, outcome: RequestOutcome, pod: string): void {
    this.#options.facts.requestAnswered.emit(id, outcome, pod);
  }

  #takeIdle(): { readonly connection: Connection; readonly pod: string } | undefined {
    for (;;) {
      const idle = this.#idle.pop();
      if (idle === undefined || idle.connection.state === 'open') return idle;
    }
  }

  /** The node that takes the next connection; undefined when packets to it vanish. */
  #entry(): NodeRules | undefined {
    const { entries } = this.#options;
    const behind = this.#balancer()?.targets;
    if (behind !== undefined) {
      const entry = this.#process.random.pick(behind);
      return reachable(this.#process.host, entry.host) ? entry : undefined;
    }
    const healthy = entries.filter((entry) => !this.#isOut(entry));
    const choice = healthy.length === 0 ? entries : healthy;
    if (choice.length === 0) return undefined;
    const entry = choice.length === 1 ? (choice[0] as NodeRules) : this.#process.random.pick(choice);
    if (reachable(this.#process.host, entry.host)) return entry;
    if (!this.#downSince.has(entry.host.name)) this.#downSince.set(entry.host.name, this.#process.mono());
    return undefined;
  }

  /** Where the Service keeps traffic on the node that it comes to, the nodes' own health checks choose among them. */
  #balancer(): LoadBalancer | undefined {
    const { entries, config } = this.#options;
    if (
      this.#loadBalancer === undefined &&
      entries.length > 1 &&
      entries.some((entry) => entry.rules(config.service).some((rule) => rule.externalLocal))
    )
      this.#loadBalancer = new LoadBalancer(this.#process, config.service, entries);
    return this.#loadBalancer;
  }

  /** The load balancer's health checks took the node out: it has not answered for a while and does not answer now. */
  #isOut(entry: NodeRules): boolean {
    const since = this.#downSince.get(entry.host.name);
    if (since === undefined) return false;
    if (reachable(this.#process.host, entry.host)) {
      this.#downSince.delete(entry.host.name);
      return false;
    }
    return this.#process.mono() - since >= HEALTH_CHECK;
  }
}
