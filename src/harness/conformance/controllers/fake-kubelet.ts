import type { ApiObject } from '../../../model/api/object.ts';
import type { Pod } from '../../../model/api/types.ts';
import { InformerFactory } from '../../../model/client/informer-factory.ts';
import { PODS } from '../../../model/client/resources.ts';
import type { ApiResult } from '../../../model/client/result.ts';
import { ApiTransport } from '../../../model/client/transport.ts';
import { Client } from '../../../model/client/typed-client.ts';
import type { Program } from '../../../sim/host.ts';
import type { Endpoint } from '../../../sim/network.ts';
import type { Process } from '../../../sim/process.ts';
import type { Task } from '../../../sim/task.ts';
import { MILLISECOND, SECOND, type Micros } from '../../../sim/time.ts';
import { annotationOf, durationUs, ExitCodes } from './fake-annotations.ts';
import { FakeNodes, type Pressure } from './fake-nodes.ts';
import { type FakePodView, finishedStatus, gatesOpen, type PodStatusPatch, pullingStatus, runningStatus } from './fake-pod-status.ts';
import type { RecordedNode } from './recording.ts';
import { untilAnswered } from './until-answered.ts';

interface PodState {
  pod: Pod;
  phase: 'waiting' | 'running' | 'restarting' | 'done' | 'removed';
  ready: boolean;
  /** Readiness in the status posted last. */
  posted: boolean | undefined;
  restarts: number;
  timers: number[];
  ip: string;
  startedAt: Micros;
  stopping: boolean;
  /** What is still to be told to the API server, in order. */
  readonly outbox: (() => Task<ApiResult<ApiObject>>)[];
}

/** All nodes of a recorded scenario with the fake kubelets of the recordings: README, "The fake kubelet". */
export class FakeKubelets {
  readonly #pods = new Map<string, PodState>();
  readonly #exitCodes = new ExitCodes();
  readonly #leasePeriod: Micros;
  readonly #spread: Micros;
  #started: { readonly process: Process; readonly client: Client; readonly nodes: FakeNodes } | undefined;
  #nextIp = 1;

  /** Nodes must renew more often than the grace period that the controller manager grants them. `spreadUs`: how far apart is what falls together. */
  constructor(gracePeriodUs: Micros, spreadUs: Micros) {
    this.#spread = spreadUs;
    this.#leasePeriod = Math.min(10 * SECOND, Math.floor(gracePeriodUs / 4));
  }

  program(name: string, servers: readonly Endpoint[]): Program {
    return { name, start: (process) => this.#start(process, servers) };
  }

  #start(process: Process, servers: readonly Endpoint[]): void {
    const client = new Client(
      new ApiTransport(process, {
        servers,
        user: { name: 'system:admin', groups: ['system:masters', 'system:authenticated'] },
        userAgent: 'golden',
      }),
    );
    this.#started = { process, client, nodes: new FakeNodes(process, client, this.#leasePeriod, (node) => this.#postAgain(node)) };
    const informers = new InformerFactory(client.transport, {});
    informers.informer(PODS).addHandler({
      onAdd: (pod) => this.#seen(pod),
      onUpdate: (_, pod) => this.#seen(pod),
      onDelete: (pod) => this.#gone(pod),
    });
    informers.start();
  }

  get #running(): { readonly process: Process; readonly client: Client; readonly nodes: FakeNodes } {
    if (this.#started === undefined) throw new Error('fake kubelets have not started');
    return this.#started;
  }

  get #p(): Process {
    return this.#running.process;
  }

  get client(): Client {
    return this.#running.client;
  }

  get #nodes(): FakeNodes {
    return this.#running.nodes;
  }

  addNode(spec: RecordedNode): Task<void> {
    return this.#nodes.add(spec);
  }

  removeNode(name: string): Task<void> {
    return this.#nodes.remove(name);
  }

  stop(name: string): void {
    this.#nodes.stop(name);
  }

  /** Statuses as they are: somebody may have written over them. */
  #postAgain(node: string): void {
    for (const state of this.#pods.values())
      if (state.pod.spec.nodeName === node && (state.phase === 'running' || state.phase === 'restarting') && !state.stopping)
        this.#writeStatus(state);
  }

  *startAgain(name: string): Task<void> {
    yield* this.#nodes.startAgain(name);
    for (const state of [...this.#pods.values()]) if (state.pod.spec.nodeName === name) this.#catchUp(state);
  }

  setReady(name: string, ready: boolean): Task<void> {
    return this.#nodes.setReady(name, ready);
  }

  setPressure(name: string, pressure: Pressure, present: boolean): Task<void> {
    return this.#nodes.setPressure(name, pressure, present);
  }

  setCapacity(name: string, capacity: { readonly [key: string]: string }): Task<void> {
    return this.#nodes.setCapacity(name, capacity);
  }

  // --- pods -------------------------------------------------------------------------------------------------------------------

  #alive(state: PodState): boolean {
    return this.#nodes.isRunning(state.pod.spec.nodeName ?? '') && state.phase !== 'removed';
  }

  #annotation(state: PodState, name: string): string | undefined {
    return annotationOf(state.pod, name);
  }

  /** The fake kubelets of the recordings served their pods one after the other; so nothing of theirs happens at one instant here either. */
  #later(state: PodState, delay: Micros, then: () => void): void {
    state.timers.push(
      this.#p.after(delay + this.#p.random.below(this.#spread), () => {
        if (this.#alive(state)) then();
      }),
    );
  }

  #seen(pod: Pod): void {
    if ((pod.spec.nodeName ?? '') === '') return;
    const uid = pod.metadata.uid ?? '';
    let state = this.#pods.get(uid);
    if (state === undefined) {
      if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return;
      state = {
        pod,
        phase: 'waiting',
        ready: false,
        posted: undefined,
        restarts: 0,
        timers: [],
        ip: '',
        startedAt: 0,
        stopping: false,
        outbox: [],
      };
      this.#pods.set(uid, state);
      if (this.#alive(state)) this.#begin(state);
      return;
    }
    const before = state.pod;
    state.pod = pod;
    if (!this.#alive(state)) return;
    if (pod.metadata.deletionTimestamp !== undefined && !state.stopping) {
      this.#stop(state);
      return;
    }
    // The condition is the kubelet's from the start on; a scheduler that had failed before may still say otherwise, late.
    if (state.phase !== 'waiting' && pod.status?.conditions?.some((c) => c.type === 'PodScheduled' && c.status === 'False') === true)
      this.#patch(state, { conditions: [{ type: 'PodScheduled', status: 'True', reason: null, message: null }] });
    if (state.stopping) return;
    const exitNow = this.#annotation(state, 'exit-now');
    if (exitNow !== undefined && before.metadata.annotations?.['golden/exit-now'] !== exitNow && state.phase === 'running')
      this.#exit(state, Number(exitNow));
    else this.#reviewReadiness(state, before);
  }

  #begin(state: PodState): void {
    if (state.pod.metadata.deletionTimestamp !== undefined) {
      this.#stop(state);
      return;
    }
    if (this.#annotation(state, 'fail-image-pull') !== undefined) {
      this.#later(state, 500 * MILLISECOND, () => this.#patch(state, pullingStatus(this.#view(state))));
      return;
    }
    this.#later(state, durationUs(this.#annotation(state, 'start-after'), 500 * MILLISECOND), () => this.#run(state));
  }

  #run(state: PodState): void {
    if (state.stopping) return;
    state.phase = 'running';
    state.startedAt = this.#p.wall();
    const { pod } = state;
    if (state.ip === '') {
      state.ip =
        pod.spec.hostNetwork === true
          ? this.#nodes.ipOf(pod.spec.nodeName ?? '')
          : `10.1.${Math.floor(this.#nextIp / 250)}.${(this.#nextIp++ % 250) + 1}`;
    }
    const byHand = this.#annotation(state, 'ready');
    const readyAfter = durationUs(this.#annotation(state, 'ready-after'), 0);
    const never = this.#annotation(state, 'never-ready') !== undefined;
    state.ready = byHand !== undefined ? byHand === 'true' : readyAfter === 0 && !never;
    this.#writeStatus(state);
    if (byHand === undefined && !state.ready && !never) {
      this.#later(state, readyAfter, () => {
        if (state.phase !== 'running' || state.stopping || this.#annotation(state, 'ready') !== undefined) return;
        state.ready = true;
        this.#writeStatus(state);
      });
    }
    const unreadyAfter = this.#annotation(state, 'unready-after');
    if (unreadyAfter !== undefined) {
      this.#later(state, durationUs(unreadyAfter, 0), () => {
        if (state.phase !== 'running' || state.stopping) return;
        state.ready = false;
        this.#writeStatus(state);
      });
    }
    const exitAfter = this.#annotation(state, 'exit-after');
    if (exitAfter !== undefined) {
      const code = this.#exitCodes.next(state.pod);
      // Of the two that are due together, readiness came first in the recordings.
      const together = readyAfter === durationUs(exitAfter, 0) ? 100 * MILLISECOND : 0;
      this.#later(state, durationUs(exitAfter, 0) + together, () => {
        if (state.phase === 'running' && !state.stopping) this.#exit(state, code);
      });
    }
  }

  #exit(state: PodState, code: number): void {
    const policy = state.pod.spec.restartPolicy ?? 'Always';
    const restarts = policy === 'Always' || (policy === 'OnFailure' && code !== 0);
    state.ready = false;
    if (restarts) {
      state.phase = 'restarting';
      state.restarts++;
      this.#writeStatus(state);
      this.#later(state, durationUs(this.#annotation(state, 'restart-after'), SECOND), () => {
        if (!state.stopping) this.#run(state);
      });
      return;
    }
    this.#finish(state, code);
  }

  #finish(state: PodState, code: number): void {
    state.phase = 'done';
    state.ready = false;
    this.#patch(state, finishedStatus(this.#view(state), code));
  }

  #reviewReadiness(state: PodState, before: Pod): void {
    const byHand = this.#annotation(state, 'ready');
    if (byHand !== undefined && byHand !== before.metadata.annotations?.['golden/ready'] && state.phase === 'running') {
      const ready = byHand === 'true';
      if (ready !== state.ready) {
        state.ready = ready;
        this.#writeStatus(state);
      }
      return;
    }
    if (state.phase !== 'running' || (state.pod.spec.readinessGates ?? []).length === 0) return;
    const shown = state.pod.status?.conditions?.find((condition) => condition.type === 'Ready')?.status === 'True';
    if (shown !== (state.ready && gatesOpen(state.pod))) this.#writeStatus(state);
  }

  #view({ pod, ready, restarts, startedAt }: PodState): FakePodView {
    return { pod, ready, restarts, startedAt, now: this.#p.wall() };
  }

  #writeStatus(state: PodState): void {
    state.posted = state.ready;
    const hostIp = this.#nodes.ipOf(state.pod.spec.nodeName ?? '');
    this.#patch(state, runningStatus(this.#view(state), state.phase === 'restarting', state.ip, hostIp));
  }

  #patch(state: PodState, status: PodStatusPatch): void {
    const { namespace = '', name = '', uid = '' } = state.pod.metadata;
    const patch = { metadata: { uid }, status };
    this.#tell(state, () => this.client.resource(PODS).patch(namespace, name, 'strategic', patch, { subresource: 'status' }));
  }

  /** One after the other, and each until a server has answered: a kubelet forgets no status. */
  #tell(state: PodState, ask: () => Task<ApiResult<ApiObject>>): void {
    state.outbox.push(ask);
    if (state.outbox.length === 1) this.#p.spawn('pod status', this.#send(state));
  }

  *#send(state: PodState): Task<void> {
    for (;;) {
      const [ask] = state.outbox;
      if (ask === undefined) return;
      yield* untilAnswered(this.#p, ask);
      state.outbox.shift();
    }
  }

  #stop(state: PodState): void {
    state.stopping = true;
    for (const timer of state.timers.splice(0)) this.#p.cancel(timer);
    const grace = (state.pod.metadata.deletionGracePeriodSeconds ?? 30) * SECOND;
    if (state.phase === 'done') {
      this.#remove(state);
      return;
    }
    const started = state.phase === 'running' || state.phase === 'restarting';
    const delay = started ? Math.min(durationUs(this.#annotation(state, 'stop-after'), 500 * MILLISECOND), grace) : 100 * MILLISECOND;
    this.#later(state, delay, () => {
      this.#finish(state, started ? Number(this.#annotation(state, 'stop-exit-code') ?? '0') : 1);
      this.#remove(state);
    });
  }

  #remove(state: PodState): void {
    const { namespace = '', name = '', uid = '' } = state.pod.metadata;
    const options = { gracePeriodSeconds: 0, preconditions: { uid } };
    this.#tell(state, () => this.client.resource(PODS).delete(namespace, name, { options }));
  }

  /** What a kubelet does that was away: continues where it stands by now. */
  #catchUp(state: PodState): void {
    if (state.pod.metadata.deletionTimestamp !== undefined) {
      state.stopping = false;
      this.#stop(state);
    } else if (state.phase === 'waiting') this.#begin(state);
    // A status that did not change meanwhile is not posted again, whatever somebody else wrote.
    else if (state.phase === 'running' && state.ready !== state.posted) this.#writeStatus(state);
  }

  #gone(pod: Pod): void {
    const state = this.#pods.get(pod.metadata.uid ?? '');
    if (state === undefined) return;
    state.phase = 'removed';
    for (const timer of state.timers) this.#p.cancel(timer);
    this.#pods.delete(pod.metadata.uid ?? '');
  }
}
