import type { Pod } from '../api/types.ts';
import { isMirror } from './pod-spec.ts';
import { keyOf } from './runtime/machine.ts';

/**
 * The pods that a kubelet is to run, and the mirrors of its static pods in the API: upstream pkg/kubelet/pod/pod_manager.go. A static
 * pod and its mirror have one name and two uids.
 */
export class PodManager {
  readonly #pods = new Map<string, Pod>();
  readonly #mirrors = new Map<string, Pod>();
  readonly #podByName = new Map<string, string>();
  readonly #mirrorByName = new Map<string, string>();
  /** Mirror uid to static uid. It outlives the static pod: until the mirror is gone, the pod's end is told there. */
  readonly #podOfMirror = new Map<string, string>();

  set(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    const name = keyOf(pod);
    if (isMirror(pod)) {
      this.#mirrors.set(uid, pod);
      this.#mirrorByName.set(name, uid);
      const staticUid = this.#podByName.get(name);
      if (staticUid !== undefined) this.#podOfMirror.set(uid, staticUid);
      return;
    }
    this.#pods.set(uid, pod);
    this.#podByName.set(name, uid);
    const mirrorUid = this.#mirrorByName.get(name);
    if (mirrorUid !== undefined) this.#podOfMirror.set(mirrorUid, uid);
  }

  remove(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    const name = keyOf(pod);
    if (isMirror(pod)) {
      this.#mirrors.delete(uid);
      this.#podOfMirror.delete(uid);
      if (this.#mirrorByName.get(name) === uid) this.#mirrorByName.delete(name);
      return;
    }
    this.#pods.delete(uid);
    if (this.#podByName.get(name) === uid) this.#podByName.delete(name);
  }

  /** A pod to run, by its own uid; never a mirror. */
  get(uid: string): Pod | undefined {
    return this.#pods.get(uid);
  }

  has(uid: string): boolean {
    return this.#pods.has(uid);
  }

  /** All pods to run, in the order in which they came. */
  pods(): Iterable<readonly [string, Pod]> {
    return this.#pods;
  }

  mirrorOf(pod: Pod): Pod | undefined {
    return this.#mirrors.get(this.#mirrorByName.get(keyOf(pod)) ?? '');
  }

  /** The static pod of a mirror. */
  podOfMirror(mirror: Pod): Pod | undefined {
    return this.#pods.get(this.#podByName.get(keyOf(mirror)) ?? '');
  }

  /** Whose status an object of the API shows: its own, or the static pod's that it mirrors. Upstream TranslatePodUID. */
  statusOwner(apiUid: string): string {
    return this.#podOfMirror.get(apiUid) ?? apiUid;
  }

  /** Mirrors whose static pod is gone, by name. */
  orphanedMirrors(): readonly Pod[] {
    return [...this.#mirrors.values()]
      .filter((mirror) => !this.#podByName.has(keyOf(mirror)))
      .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }
}
