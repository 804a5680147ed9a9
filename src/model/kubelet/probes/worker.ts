import type { Process } from '../../../sim/process.ts';
import { SECOND, type Micros } from '../../../sim/time.ts';
import { parseTime } from '../../api/time.ts';
import type { Container, ContainerStatus, Pod, PodStatus, Probe } from '../../api/types.ts';
import { restartsAfter } from '../pod-spec.ts';
import { isTerminalPhase } from '../status/phase.ts';
import { probePeriod } from './probe.ts';
import type { ProbeOutcome } from './probe.ts';
import type { ProbeResults, ProbeType, ProbeVerdict } from './results.ts';

export interface ProbeWorkerOptions {
  readonly process: Process;
  readonly type: ProbeType;
  readonly pod: Pod;
  readonly container: Container;
  readonly probe: Probe;
  readonly results: ProbeResults;
  /** The kubelet's own status of the pod. */
  readonly status: () => PodStatus | undefined;
  readonly call: (containerId: string, done: (outcome: ProbeOutcome) => void) => void;
  readonly report: (outcome: ProbeOutcome) => void;
  readonly deleting: () => boolean;
  readonly onEnd: () => void;
  /** What is known of a container that ran before this kubelet started. */
  readonly initial: (containerId: string, startedAtUs: Micros) => ProbeVerdict | undefined;
}

/** Verdict before the first answer: upstream newWorker. */
const INITIAL: Record<ProbeType, ProbeVerdict> = { readiness: 'failure', liveness: 'success', startup: 'unknown' };

type Turn =
  /** Nothing more to do before the next tick, which is worth waiting for. */
  | 'tick'
  /** Nothing can change before the container's status or the app's answers do. */
  | 'park'
  | 'end'
  | 'probing';

/**
 * Probes one container in one way: upstream prober/worker.go. Ticks every period from the worker's start, not from the container's; a
 * manual trigger probes at once and starts the ticks anew. A worker whose next ticks cannot change anything (no container runs, or the app's answer is a success that stands) parks
 * and costs no events until it is woken; it then goes on at the next tick of the same grid.
 */
export class ProbeWorker {
  readonly #options: ProbeWorkerOptions;
  #base: Micros;
  readonly #period: Micros;
  #timer = 0;
  /** Counts armed ticks: an older one that still comes is stale. */
  #arming = 0;
  #busy = false;
  /** A tick came while a probe was running: Go's ticker keeps one. */
  #tickMissed = false;
  #triggered = false;
  #ended = false;
  #containerId = '';
  #onHold = false;
  #last: ProbeVerdict | undefined;
  #run = 0;

  /** `delayUs`: the first probe waits so long (a kubelet that has just started spreads its probes). */
  constructor(options: ProbeWorkerOptions, delayUs: Micros) {
    this.#options = options;
    this.#period = probePeriod(options.probe);
    this.#base = options.process.mono() + delayUs;
    if (delayUs > 0) this.#timer = options.process.after(delayUs, () => this.#tick(0));
    else this.#turn();
  }

  /** It will not probe any more. */
  get ended(): boolean {
    return this.#ended;
  }

  get containerId(): string {
    return this.#containerId;
  }

  /** Probes at once; the ticks count from here on. */
  trigger(): void {
    if (this.#ended || this.#options.process.mono() < this.#base) return;
    if (this.#busy) {
      this.#triggered = true;
      return;
    }
    this.#restartTicks();
    this.#turn();
  }

  #restartTicks(): void {
    const { process } = this.#options;
    this.#base = process.mono();
    process.cancel(this.#timer);
    this.#arming++;
    this.#timer = 0;
  }

  /** Something that a parked worker waits for may have changed. */
  wake(): void {
    if (this.#ended || this.#busy || this.#timer !== 0) return;
    this.#schedule();
  }

  stop(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.process.cancel(this.#timer);
    if (this.#containerId !== '') this.#options.results.remove(this.#containerId);
    this.#options.onEnd();
  }

  /** The next tick of the grid. */
  #schedule(): void {
    const { process } = this.#options;
    const sinceBase = process.mono() - this.#base;
    const delay = sinceBase < 0 ? -sinceBase : this.#period - (sinceBase % this.#period);
    const arming = ++this.#arming;
    this.#timer = process.after(delay, () => this.#tick(arming));
  }

  #tick(arming: number): void {
    // Cancelled when it was already on its way to the CPU.
    if (arming !== this.#arming) return;
    this.#timer = 0;
    if (this.#busy) {
      this.#tickMissed = true;
      this.#schedule();
      return;
    }
    this.#turn();
  }

  #turn(): void {
    const turn = this.#probe();
    switch (turn) {
      case 'tick':
        if (this.#timer === 0) this.#schedule();
        break;
      case 'park':
        this.#park();
        break;
      case 'end':
        this.stop();
        break;
      case 'probing':
        if (this.#timer === 0) this.#schedule();
        break;
    }
  }

  /** Upstream doProbe up to the call. */
  #probe(): Turn {
    const { type, pod, container, probe, results } = this.#options;
    const podUid = pod.metadata.uid ?? '';
    const status = this.#options.status();
    if (status === undefined) return 'park';
    if (isTerminalPhase(status.phase)) return 'end';
    const found = statusOf(status, container.name);
    const id = bareId(found?.containerID);
    if (found === undefined || id === '') return 'park';
    if (this.#containerId !== id) {
      if (this.#containerId !== '') results.remove(this.#containerId);
      this.#containerId = id;
      this.#onHold = false;
      const since = parseTime(found.state?.running?.startedAt ?? '');
      results.set(id, podUid, (since === undefined ? undefined : this.#options.initial(id, since)) ?? INITIAL[type]);
    }
    if (this.#onHold) return 'park';
    const running = found.state?.running;
    if (running === undefined) {
      results.set(id, podUid, 'failure');
      const terminated = found.state?.terminated;
      return terminated === undefined || restartsAfter(container, pod, terminated.exitCode) ? 'park' : 'end';
    }
    if (this.#options.deleting() && type !== 'readiness') {
      // A pod that is being deleted is not restarted: its liveness does not matter any more.
      if (type === 'startup') results.set(id, podUid, 'success');
      return 'end';
    }
    const startedAt = parseTime(running.startedAt ?? '') ?? 0;
    const { process } = this.#options;
    if (Math.floor((process.wall() - startedAt) / SECOND) < (probe.initialDelaySeconds ?? 0)) return 'tick';
    if (type === 'startup' ? found.started === true : found.started !== true) return 'park';
    this.#busy = true;
    this.#options.call(id, (outcome) => this.#answered(id, outcome));
    return 'probing';
  }

  #answered(id: string, outcome: ProbeOutcome): void {
    this.#busy = false;
    if (this.#ended) return;
    let turn: Turn = 'tick';
    if (id === this.#containerId && !this.#onHold) turn = this.#take(id, outcome);
    if (this.#triggered || this.#tickMissed) {
      if (this.#triggered) this.#restartTicks();
      this.#triggered = false;
      this.#tickMissed = false;
      this.#turn();
    } else if (turn === 'park') this.#park();
  }

  #park(): void {
    this.#options.process.cancel(this.#timer);
    this.#arming++;
    this.#timer = 0;
  }

  /** Upstream doProbe after the call. */
  #take(id: string, outcome: ProbeOutcome): Turn {
    const { type, pod, probe, results } = this.#options;
    this.#options.report(outcome);
    if (outcome.kind === 'error') return 'tick';
    const verdict: ProbeVerdict = outcome.kind === 'failure' ? 'failure' : 'success';
    if (this.#last === verdict) this.#run++;
    else {
      this.#last = verdict;
      this.#run = 1;
    }
    const threshold = verdict === 'failure' ? (probe.failureThreshold ?? 3) : (probe.successThreshold ?? 1);
    if (this.#run < threshold) return 'tick';
    results.set(id, pod.metadata.uid ?? '', verdict);
    if (type === 'startup' || (type === 'liveness' && verdict === 'failure')) {
      // It has started, or it will be restarted: nothing to probe before there is a new container.
      this.#onHold = true;
      this.#run = 0;
      return 'park';
    }
    return outcome.kind === 'success' && outcome.stable ? 'park' : 'tick';
  }
}

export function statusOf(status: PodStatus, container: string): ContainerStatus | undefined {
  return (
    status.containerStatuses?.find((found) => found.name === container) ??
    status.initContainerStatuses?.find((found) => found.name === container)
  );
}

/** The runtime's id without '<runtime>://'. */
export function bareId(containerId: string | undefined): string {
  if (containerId === undefined) return '';
  const at = containerId.indexOf('://');
  return at < 0 ? containerId : containerId.slice(at + 3);
}
