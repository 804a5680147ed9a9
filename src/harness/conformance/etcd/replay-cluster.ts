import type { CallMetadata, EtcdRequest, EtcdResponse, WatchRequest, WatchResponse } from '../../../model/etcd/api.ts';
import { type EtcdError, isError, type Result } from '../../../model/etcd/errors.ts';
import { type EtcdConfig, etcdConfig } from '../../../model/etcd/server/config.ts';
import type { HttpAnswer } from '../../../model/etcd/server/health-service.ts';
import { etcdMember } from '../../../model/etcd/server/member.ts';
import { createFacts } from '../../../model/facts.ts';
import type { Process } from '../../../sim/process.ts';
import { RpcClient, type RpcResult } from '../../../sim/rpc.ts';
import { MILLISECOND, type Micros, SECOND } from '../../../sim/time.ts';
import { World } from '../../../sim/world.ts';

/** The recordings were made with all members on loopback: one host, told apart by their ports. */
const HOST = '127.0.0.1';
const FIRST_PORT = 32_379;
/** Ids such that m3 < m2 < m1, the order of the hashes in the recordings' member lists. */
const FIRST_ID = 9_000_000;

/** An answer, or why there is none. */
export type CallEnd = Result<EtcdResponse> | { readonly transport: 'ECONNREFUSED' | 'client gave up' | 'ECONNRESET' };

/** A watch stream at the recorder. */
export interface ReplayStream {
  readonly messages: ({ readonly message: WatchResponse } | { readonly error: EtcdError })[];
  ended: 'closed by server' | 'cut' | undefined;
}

/** How a member's process ended. */
export interface Exit {
  readonly code: number | null;
  readonly sig: string | null;
}

/** A simulated cluster with a recorder's view of it: calls, streams, and what can be done to members. */
export class ReplayCluster {
  readonly world: World;
  readonly #settings: Partial<EtcdConfig>;
  readonly #recorder: Process;
  readonly #clients = new Map<string, RpcClient>();
  readonly #exits = new Map<string, Exit>();
  readonly #told = { revision: 1, compacted: 0 };
  readonly #facts = createFacts();
  readonly #names: string[];

  constructor(size: number, settings: Partial<EtcdConfig>) {
    this.#settings = settings;
    this.world = new World({ seed: 'etcd-conformance' });
    const host = this.world.addHost({ name: HOST, zone: 'z' });
    let recorder: Process | undefined;
    host.install({
      name: 'recorder',
      start: (process) => {
        recorder = process;
      },
    });
    this.#names = Array.from({ length: size }, (_, i) => `m${i + 1}`);
    const initialCluster = this.#names.map((name) => ({ name, peerURL: peerURL(name), id: memberId(name) }));
    for (const name of this.#names) this.#install(name, { initialCluster });
    this.world.run(1);
    if (recorder === undefined) throw new Error('replay: the recorder did not start');
    this.#recorder = recorder;
  }

  #install(name: string, config: Pick<EtcdConfig, 'initialCluster'> & Partial<EtcdConfig>): void {
    const full = etcdConfig({
      name,
      peerURL: peerURL(name),
      clientURL: clientURL(name),
      facts: this.#facts,
      told: this.#told,
      ...this.#settings,
      ...config,
    });
    this.world.host(HOST).install(etcdMember(full));
    this.#watchExit(name);
  }

  #watchExit(name: string): void {
    this.#exits.delete(name);
    const process = this.world.host(HOST).process(name);
    if (process === undefined) return;
    process.onDeath = (_, cause) => {
      const exit = /^exit (\d+)/.exec(cause);
      this.#exits.set(name, exit === null ? { code: null, sig: cause } : { code: Number(exit[1]), sig: null });
      this.wake();
    };
  }

  /** Ends the present `wait` so that its condition is looked at again. */
  wake(): void {
    this.world.stop('wake');
  }

  /** Lets time pass until the condition holds or `maxUs` are over. */
  wait(holds: () => boolean, maxUs: Micros): boolean {
    const deadline = this.world.now + maxUs;
    while (!holds()) {
      if (this.world.now >= deadline) return false;
      this.world.run(deadline);
    }
    return true;
  }

  sleep(us: Micros): void {
    this.wait(() => false, us);
  }

  /** Sends a request; `done` gets the answer. */
  call(at: string, request: EtcdRequest, metadata: CallMetadata, timeoutUs: Micros, done: (end: CallEnd) => void): void {
    this.#client(at).callThen('etcd', { request, metadata }, { timeoutUs }, (result) => {
      done(endOf(result as RpcResult<Result<EtcdResponse>>));
      this.wake();
    });
  }

  /** Sends a request and lets time pass until it is answered. */
  ask(at: string, request: EtcdRequest, timeoutUs: Micros = 30 * SECOND): CallEnd {
    let end: CallEnd | undefined;
    this.call(at, request, {}, timeoutUs, (answer) => {
      end = answer;
    });
    this.wait(() => end !== undefined, timeoutUs + SECOND);
    return end ?? { transport: 'client gave up' };
  }

  http(at: string, path: string, timeoutUs: Micros, done: (answer: HttpAnswer | undefined) => void): void {
    this.#client(at).callThen('http', path, { timeoutUs }, (result) => {
      done(result.ok ? (result.value as HttpAnswer) : undefined);
      this.wake();
    });
  }

  openWatch(at: string, requests: readonly WatchRequest[], metadata: CallMetadata): ReplayStream {
    const stream: ReplayStream = { messages: [], ended: undefined };
    const client = this.#client(at).open('watch', metadata, {
      onMessage: (body) => {
        stream.messages.push({ message: body as WatchResponse });
        this.wake();
      },
      onEnd: (end) => {
        if (end.by === 'server') stream.messages.push({ error: end.body as EtcdError });
        stream.ended = end.by === 'server' ? 'closed by server' : 'cut';
        this.wake();
      },
    });
    for (const request of requests) client.send(request);
    return stream;
  }

  kill(name: string, signal: string): void {
    this.world.host(HOST).process(name)?.kill(signal);
  }

  pause(name: string): void {
    this.world.host(HOST).process(name)?.pause();
  }

  resume(name: string): void {
    this.world.host(HOST).process(name)?.resume();
  }

  start(name: string): void {
    this.world.host(HOST).start(name);
    this.#watchExit(name);
  }

  /** Starts a member that was added to the running cluster with this peer URL. */
  startNew(name: string): void {
    const initialCluster = [...this.#names, name].map((member) => ({ name: member, peerURL: peerURL(member), id: memberId(member) }));
    this.#names.push(name);
    this.#install(name, { initialCluster, initialClusterState: 'existing' });
  }

  isRunning(name: string): boolean {
    return this.world.host(HOST).process(name) !== undefined;
  }

  exitOf(name: string): Exit | undefined {
    return this.#exits.get(name);
  }

  get names(): readonly string[] {
    return this.#names;
  }

  /** The member that a member holds for the leader; 0 for none, undefined if it does not answer. */
  leaderSeenBy(name: string): number | undefined {
    const end = this.ask(name, { type: 'status' }, 2 * SECOND);
    return !isError(end) && 'leader' in end ? end.leader : undefined;
  }

  /** Moves the leadership to a member, as `etcdctl move-leader` does. */
  lead(name: string): void {
    for (let attempts = 0; attempts < 50; attempts++) {
      const leader = this.leaderSeenBy(name);
      if (leader === memberId(name)) return;
      const current = this.#names.find((candidate) => memberId(candidate) === leader);
      if (current !== undefined) this.ask(current, { type: 'moveLeader', targetId: memberId(name) }, 5 * SECOND);
      this.sleep(100 * MILLISECOND);
    }
  }

  #client(at: string): RpcClient {
    let client = this.#clients.get(at);
    if (client === undefined) {
      client = new RpcClient(this.#recorder, this.world.network.endpoint(HOST, String(clientPort(at))));
      this.#clients.set(at, client);
    }
    return client;
  }
}

function endOf(result: RpcResult<Result<EtcdResponse>>): CallEnd {
  if (result.ok) return result.value;
  switch (result.error) {
    case 'refused':
    case 'connect-timeout':
      return { transport: 'ECONNREFUSED' };
    case 'timeout':
      return { transport: 'client gave up' };
    case 'closed':
      return { transport: 'ECONNRESET' };
  }
}

/** The id that a first member has here. */
export function memberId(name: string): number {
  return FIRST_ID - Number(name.slice(1));
}

function clientPort(name: string): number {
  return FIRST_PORT + 2 * (Number(name.slice(1)) - 1);
}

function clientURL(name: string): string {
  return `http://${HOST}:${clientPort(name)}`;
}

function peerURL(name: string): string {
  return `http://${HOST}:${clientPort(name) + 1}`;
}
