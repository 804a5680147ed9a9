/** Which static pod of a name runs, and which wait for it to be gone: upstream pod_workers.go allowStaticPodStart. */
export class StaticPodTurns {
  readonly #running = new Map<string, string>();
  readonly #waiting = new Map<string, string[]>();

  wait(name: string, uid: string): void {
    const waiting = this.#waiting.get(name) ?? [];
    waiting.push(uid);
    this.#waiting.set(name, waiting);
  }

  running(name: string): string | undefined {
    return this.#running.get(name);
  }

  /** Whether it is this pod's turn; from then on it is the one that runs. `isGone`: a waiting pod was taken away meanwhile. */
  mayStart(name: string, uid: string, isGone: (uid: string) => boolean): boolean {
    const running = this.#running.get(name);
    if (running !== undefined) return running === uid;
    const waiting = this.#waiting.get(name) ?? [];
    while (waiting.length > 0 && isGone(waiting[0] ?? '')) waiting.shift();
    if (waiting[0] !== uid) return false;
    waiting.shift();
    if (waiting.length === 0) this.#waiting.delete(name);
    this.#running.set(name, uid);
    return true;
  }

  done(name: string, uid: string): void {
    if (this.#running.get(name) === uid) this.#running.delete(name);
    const waiting = this.#waiting.get(name)?.filter((other) => other !== uid) ?? [];
    if (waiting.length === 0) this.#waiting.delete(name);
    else this.#waiting.set(name, waiting);
  }
}
