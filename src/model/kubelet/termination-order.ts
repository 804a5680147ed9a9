import type { Process } from '../../sim/process.ts';
import { type Task, suspend } from '../../sim/task.ts';
import { SECOND } from '../../sim/time.ts';
import type { Pod } from '../api/types.ts';
import type { ContainerRecord } from './cri.ts';
import { isSidecar } from './pod-spec.ts';

/**
 * In which order the containers of a pod stop: main containers first, then the sidecars in reverse order of the specification
 * (KEP-753; upstream kuberuntime_termination_order.go).
 */
export class TerminationOrder {
  readonly #process: Process;
  /** Containers that must have stopped before this one is told to. */
  readonly #before = new Map<string, readonly string[]>();
  readonly #gone = new Set<string>();
  #waiters: (() => void)[] = [];

  constructor(process: Process, pod: Pod, running: readonly ContainerRecord[]) {
    this.#process = process;
    const alive = new Set(running.map((record) => record.name));
    const mains = pod.spec.containers.map((container) => container.name).filter((name) => alive.has(name));
    let earlier: readonly string[] = mains;
    const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar).filter((container) => alive.has(container.name));
    for (const sidecar of [...sidecars].reverse()) {
      this.#before.set(sidecar.name, earlier);
      earlier = [...earlier, sidecar.name];
    }
  }

  /** Waits until it is this container's turn, or the grace period is over; answers the whole seconds that passed. */
  *waitForTurn(name: string, graceSeconds: number): Task<number> {
    const begun = this.#process.mono();
    const deadline = begun + graceSeconds * SECOND;
    while (!(this.#before.get(name) ?? []).every((other) => this.#gone.has(other))) {
      const left = deadline - this.#process.mono();
      if (left <= 0) break;
      yield* suspend<void>((resolve) => {
        const timer = this.#process.after(left, () => resolve(undefined));
        this.#waiters.push(() => {
          this.#process.cancel(timer);
          resolve(undefined);
        });
        return () => this.#process.cancel(timer);
      });
    }
    return Math.floor((this.#process.mono() - begun) / SECOND);
  }

  terminated(name: string): void {
    this.#gone.add(name);
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }
}
