import { type PodInfo, podPriority } from './pod-info.ts';

/** Pods that wait for room which preemption is making for them, by node: upstream backend/queue nominator. */
export class Nominator {
  readonly #byNode = new Map<string, Map<string, PodInfo>>();
  readonly #nodeOf = new Map<string, string>();

  set(info: PodInfo, node: string): void {
    this.remove(info.uid);
    this.#nodeOf.set(info.uid, node);
    const there = this.#byNode.get(node);
    if (there === undefined) this.#byNode.set(node, new Map([[info.uid, info]]));
    else there.set(info.uid, info);
  }

  remove(uid: string): void {
    const node = this.#nodeOf.get(uid);
    if (node === undefined) return;
    this.#nodeOf.delete(uid);
    const there = this.#byNode.get(node);
    there?.delete(uid);
    if (there?.size === 0) this.#byNode.delete(node);
  }

  nodeOf(uid: string): string | undefined {
    return this.#nodeOf.get(uid);
  }

  /** Nominated pods of a node, oldest nomination first. */
  on(node: string): readonly PodInfo[] {
    const there = this.#byNode.get(node);
    return there === undefined ? none : [...there.values()];
  }

  /** Those that a pod has to leave room for: others of at least its priority. */
  before(info: PodInfo, node: string): readonly PodInfo[] {
    if (this.#byNode.size === 0) return none;
    const there = this.on(node);
    return there.filter((other) => other.uid !== info.uid && podPriority(other.pod) >= podPriority(info.pod));
  }
}

const none: readonly PodInfo[] = [];
