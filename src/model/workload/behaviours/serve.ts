import type { Connection } from '../../../sim/connection.ts';
import type { Endpoint } from '../../../sim/network.ts';
import type { Process } from '../../../sim/process.ts';
import { MILLISECOND, type Micros } from '../../../sim/time.ts';
import type { App, AppAnswer, AppEnvironment, AppOutcome, AppRequest, Behaviour } from '../../kubelet/app.ts';
import { keyOf } from '../../kubelet/runtime/machine.ts';
import { type AppSettings, appPorts, appSettings } from '../app-settings.ts';
import { ANSWER_BYTES, type ServiceAnswer, type ServiceRequest } from '../request.ts';

/** CPU that a request takes of the app's process beyond waiting. */
const REQUEST_COST: Micros = 50;
/** Where a pod's first main app listens when its specification names no port. */
const GUESSED_PORTS: readonly number[] = [80, 8080];

/** A service: listens on its ports, answers requests after its service time, is healthy once it has started, stops on SIGTERM. */
export const serve: Behaviour = {
  name: 'serve',
  start: (environment) => new Server(environment, appSettings(environment.pod, environment.container), true),
};

/** A build that never gets ready: it runs and listens, but every probe is answered with an error. */
export const neverReady: Behaviour = {
  name: 'never-ready',
  start: (environment) => new Server(environment, appSettings(environment.pod, environment.container), false),
};

/** Something that listens. `reply`: what it answers to the body of a request. */
export class Server implements App {
  readonly #environment: AppEnvironment;
  readonly #process: Process;
  readonly #settings: AppSettings;
  readonly #everReady: boolean;
  readonly #reply: ((body: unknown) => unknown) | undefined;
  readonly #pod: string;
  readonly #ports: readonly number[];
  readonly #guessed: boolean;
  readonly #endpoints: Endpoint[] = [];
  readonly #connections = new Set<Connection>();
  #listening = false;
  #ready = false;
  #stopping = false;
  #open = 0;

  constructor(environment: AppEnvironment, settings: AppSettings, everReady: boolean, reply?: (body: unknown) => unknown) {
    this.#environment = environment;
    this.#process = environment.process;
    this.#settings = settings;
    this.#everReady = everReady;
    this.#reply = reply;
    this.#pod = keyOf(environment.pod);
    const declared = appPorts(environment.container, settings);
    this.#guessed = declared.length === 0;
    const isFirst = environment.pod.spec.containers[0]?.name === environment.container.name;
    this.#ports = this.#guessed && isFirst ? GUESSED_PORTS : declared;
    if (settings.memoryBytes > 0) environment.useMemory(settings.memoryBytes);
    this.#process.after(settings.startUs, () => this.#listen());
    if (everReady && settings.readyAfterUs > settings.startUs) this.#process.after(settings.readyAfterUs, () => this.#becomeReady());
    if (settings.exitAfterUs !== undefined) this.#process.after(settings.exitAfterUs, () => environment.exit(settings.exitCode));
  }

  #listen(): void {
    if (this.#stopping) return;
    const { network } = this.#process.world;
    const { address } = this.#environment;
    for (const port of this.#ports) {
      const holder = network.endpoint(address, String(port)).listener?.process;
      if (holder !== undefined && holder !== this.#process && holder.alive) {
        // bind: address already in use. Guessed ports are no reason to fail.
        if (this.#guessed) continue;
        this.#environment.exit(1);
      }
      const handlers = { onAccept: (connection: Connection) => this.#accept(connection), costUs: REQUEST_COST };
      this.#endpoints.push(network.listen(this.#process, address, String(port), handlers));
    }
    this.#listening = true;
    this.#environment.log(`listening on ${this.#ports.map((port) => `:${port}`).join(' ')}`);
    if (this.#everReady && this.#settings.readyAfterUs <= this.#settings.startUs) this.#ready = true;
    this.#environment.changed();
  }

  #becomeReady(): void {
    this.#ready = true;
    this.#environment.changed();
  }

  #accept(connection: Connection): { onMessage(payload: unknown): void; onClose(): void } {
    this.#connections.add(connection);
    return {
      onMessage: (payload) => {
        this.#open++;
        this.#process.after(this.#settings.serviceTimeUs, () => this.#answer(connection, payload as ServiceRequest));
      },
      onClose: () => {
        this.#connections.delete(connection);
      },
    };
  }

  #answer(connection: Connection, request: ServiceRequest): void {
    this.#open--;
    const body = this.#reply?.(request.body);
    const answer: ServiceAnswer = { id: request.id, ok: this.#everReady, pod: this.#pod, ...(body === undefined ? {} : { body }) };
    connection.send(answer, ANSWER_BYTES);
    if (this.#stopping && this.#open === 0 && !this.#listening) this.#environment.exit(0);
  }

  signal(name: string): void {
    if (name !== 'SIGTERM' && name !== 'SIGINT' && name !== 'SIGQUIT') return;
    if (this.#settings.ignoreSigterm || this.#stopping) return;
    this.#stopping = true;
    this.#environment.log(`${name}: shutting down, ${this.#open} requests open`);
    if (this.#settings.drainUs > 0) this.#process.after(this.#settings.drainUs, () => this.#close());
    else this.#close();
  }

  /** Takes no more connections; open requests are answered, then it ends. */
  #close(): void {
    const { network } = this.#process.world;
    for (const endpoint of this.#endpoints) network.unlisten(endpoint, this.#process);
    this.#listening = false;
    this.#environment.changed();
    if (this.#open === 0) this.#process.after(Math.min(MILLISECOND * 5, this.#settings.shutdownUs), () => this.#environment.exit(0));
    else this.#process.after(this.#settings.shutdownUs, () => this.#environment.exit(0));
  }

  answer(request: AppRequest): AppAnswer {
    return { outcome: this.#outcome(request), afterUs: Math.min(this.#settings.serviceTimeUs, 20 * MILLISECOND), stable: true };
  }

  #outcome(request: AppRequest): AppOutcome {
    switch (request.kind) {
      case 'exec':
        return this.#ready ? { kind: 'exit', code: 0, output: '' } : { kind: 'exit', code: 1, output: 'not ready' };
      case 'tcp':
        return this.#listening && this.#ports.includes(request.port) ? { kind: 'open' } : { kind: 'refused' };
      case 'http':
        if (!this.#listening || !this.#ports.includes(request.port)) return { kind: 'refused' };
        return this.#ready ? { kind: 'http', status: 200, body: 'ok' } : { kind: 'http', status: 503, body: 'not ready' };
      case 'grpc':
        if (!this.#listening || !this.#ports.includes(request.port)) return { kind: 'refused' };
        return { kind: 'grpc', status: this.#ready ? 'SERVING' : 'NOT_SERVING' };
    }
  }
}
