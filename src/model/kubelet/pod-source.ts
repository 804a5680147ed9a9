import type { Task } from '../../sim/task.ts';
import type { Pod } from '../api/types.ts';
import { Informer } from '../client/informer.ts';
import { PODS } from '../client/resources.ts';
import type { Client } from '../client/typed-client.ts';
import { keyOf } from './runtime/machine.ts';

export interface PodSourceHandlers {
  readonly onAdd: (pod: Pod) => void;
  readonly onUpdate: (pod: Pod) => void;
  readonly onRemove: (pod: Pod) => void;
}

/** The API server as the source of a node's pods: upstream pkg/kubelet/config/apiserver.go. */
export class PodSource {
  readonly #informer: Informer<Pod>;
  readonly #handlers: PodSourceHandlers;
  /** Everything that comes before the first state is complete is taken in together. */
  #first: Map<string, Pod> | undefined = new Map();

  constructor(client: Client, nodeName: string, watchList: boolean, handlers: PodSourceHandlers) {
    this.#informer = new Informer(client.transport, PODS, { fieldSelector: `spec.nodeName=${nodeName}`, watchList });
    this.#handlers = handlers;
  }

  /** Until the first state is complete and told of. */
  *start(): Task<void> {
    this.#informer.addHandler({
      onAdd: (pod) => this.#added(pod),
      onUpdate: (before, pod) => this.#updated(before, pod),
      onDelete: (pod) => this.#removed(pod),
    });
    this.#informer.start();
    yield* this.#informer.waitForSync();
    const first = [...(this.#first?.values() ?? [])].sort(byCreation);
    this.#first = undefined;
    // Admitted in the order of their creation, so that a restart refuses the youngest where room is short.
    for (const pod of first) this.#handlers.onAdd(pod);
  }

  #added(pod: Pod): void {
    if (this.#first === undefined) this.#handlers.onAdd(pod);
    else this.#first.set(pod.metadata.uid ?? '', pod);
  }

  #updated(before: Pod, pod: Pod): void {
    if (this.#first === undefined && before.metadata.uid === pod.metadata.uid) this.#handlers.onUpdate(pod);
    else {
      this.#removed(before);
      this.#added(pod);
    }
  }

  #removed(pod: Pod): void {
    if (this.#first === undefined) this.#handlers.onRemove(pod);
    else this.#first.delete(pod.metadata.uid ?? '');
  }
}

/** Oldest first. */
export function byCreation(a: Pod, b: Pod): number {
  const left = `${a.metadata.creationTimestamp ?? ''}|${keyOf(a)}`;
  const right = `${b.metadata.creationTimestamp ?? ''}|${keyOf(b)}`;
  return left < right ? -1 : left > right ? 1 : 0;
}
