export type ProbeType = 'startup' | 'readiness' | 'liveness';
export type ProbeVerdict = 'success' | 'failure' | 'unknown';

/** What the probes last decided, by container id: upstream prober/results. Tells of changes only. */
export class ProbeResults {
  readonly #verdicts = new Map<string, ProbeVerdict>();
  readonly #onChange: (containerId: string, podUid: string, verdict: ProbeVerdict) => void;

  constructor(onChange: (containerId: string, podUid: string, verdict: ProbeVerdict) => void) {
    this.#onChange = onChange;
  }

  get(containerId: string): ProbeVerdict | undefined {
    return this.#verdicts.get(containerId);
  }

  set(containerId: string, podUid: string, verdict: ProbeVerdict): void {
    if (this.#verdicts.get(containerId) === verdict) return;
    this.#verdicts.set(containerId, verdict);
    this.#onChange(containerId, podUid, verdict);
  }

  remove(containerId: string): void {
    this.#verdicts.delete(containerId);
  }
}
