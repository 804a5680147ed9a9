import { faultOf } from '../faults/registry.ts';
import { drawableKinds, plannedArbitrary } from './generate.ts';
import { topologyOf } from './shape.ts';
import type { PlannedFault, TrialInput } from './trial-input.ts';

/** A step of shrinking that kept the signature. */
export interface ShrinkStep {
  readonly attempt: number;
  readonly faults: number;
  readonly operations: number;
}

export interface ShrinkResult {
  readonly input: TrialInput;
  readonly attempts: number;
  readonly steps: readonly ShrinkStep[];
}

/** Answers whether a smaller trial still breaks the same clause. */
export type Fails = (input: TrialInput) => boolean;

/**
 * Makes a failing trial small while it keeps failing: delta debugging first (faults, then operations), then simpler surroundings (ties, hosts
 * outside the core, traffic, store clients, an earlier healing), then the parameters of what remains through fast-check's shrinking. Manifests stay
 * as they are. At most `attemptsMax` runs; `stopped` ends it earlier, with the smallest trial so far.
 */
export function shrinkTrial(start: TrialInput, fails: Fails, attemptsMax = 300, stopped: () => boolean = () => false): ShrinkResult {
  let best = start;
  let attempts = 0;
  const steps: ShrinkStep[] = [];
  const attempt = (candidate: TrialInput): boolean => {
    if (attempts >= attemptsMax || stopped()) return false;
    attempts++;
    if (!fails(candidate)) return false;
    best = candidate;
    steps.push({ attempt: attempts, faults: candidate.faults.length, operations: candidate.operations.length });
    return true;
  };

  minimize(best.faults, (faults) => attempt({ ...best, faults }));
  minimize(best.operations, (operations) => attempt({ ...best, operations }));
  simplifyRun(() => best, attempt);
  shrinkParams(() => best, attempt);
  // What the parameters needed may be needed no longer.
  minimize(best.faults, (faults) => attempt({ ...best, faults }));
  return { input: best, attempts, steps };
}

/**
 * Delta debugging (Zeller and Hildebrandt, 2002): removes ever smaller chunks until no single item can go. `test` answers whether
 * the remaining items still fail, and then has taken them as the new best.
 */
export function minimize<T>(items: readonly T[], test: (rest: readonly T[]) => boolean): readonly T[] {
  let current = items;
  if (current.length === 0) return current;
  if (test([])) return [];
  let chunk = Math.ceil(current.length / 2);
  while (current.length > 0) {
    let removed = false;
    for (let from = 0; from < current.length; ) {
      const rest = [...current.slice(0, from), ...current.slice(from + chunk)];
      if (rest.length < current.length && rest.length > 0 && test(rest)) {
        current = rest;
        removed = true;
      } else from += chunk;
    }
    if (chunk === 1 && !removed) break;
    chunk = removed ? Math.min(chunk, Math.ceil(current.length / 2)) : Math.max(1, Math.ceil(chunk / 2));
  }
  return current;
}

/** Simpler surroundings: the plain tie policy, no traffic, fewer clients, all hosts in the core. */
function simplifyRun(best: () => TrialInput, attempt: (candidate: TrialInput) => boolean): void {
  if (best().swarm.tiePolicy.kind !== 'fifo') attempt({ ...best(), swarm: { tiePolicy: { kind: 'fifo' } } });
  if (best().core.outside.length > 0) attempt({ ...best(), core: { outside: [] } });
  if (best().workload.traffic.length > 0) attempt({ ...best(), workload: { ...best().workload, traffic: [] } });
  for (;;) {
    const store = best().workload.store;
    if (store === null || store.clients <= 1) break;
    if (!attempt({ ...best(), workload: { ...best().workload, store: { ...store, clients: Math.ceil(store.clients / 2) } } })) break;
  }
  // Users and faults stop earlier: the first second after the last fault is tried first.
  const { timing } = best();
  const lastMs = Math.max(
    timing.chaosFromMs,
    ...[...best().faults, ...best().operations].map((f) => f.atMs + Math.min(f.forMs ?? 0, 60_000)),
  );
  for (const healAtMs of [lastMs + 1000, lastMs + 10_000, lastMs + 30_000]) {
    if (healAtMs < timing.healAtMs && attempt({ ...best(), timing: { ...timing, healAtMs } })) break;
  }
}

/** Times, durations and parameters, through fast-check: every value shrinks without the context of its generation. */
function shrinkParams(best: () => TrialInput, attempt: (candidate: TrialInput) => boolean): void {
  const topology = topologyOf(best().cluster);
  const { timing } = best();
  for (let i = 0; i < best().faults.length; i++) {
    const kind = (best().faults[i] as PlannedFault).params.kind;
    if (drawableKinds(topology, [kind]).length === 0 || faultOf(kind).operation) continue;
    const arbitrary = plannedArbitrary([kind], topology, { fromMs: timing.chaosFromMs, toMs: timing.healAtMs }, { min: 100, max: 600_000 });
    if (arbitrary === undefined) continue;
    let rounds = 0;
    for (let again = true; again && rounds < 12; rounds++) {
      again = false;
      const current = best().faults[i] as PlannedFault;
      const value = { ...current, id: 'F' };
      if (!arbitrary.canShrinkWithoutContext(value)) break;
      let tried = 0;
      for (const shrunk of arbitrary.shrink(value, undefined)) {
        if (tried++ >= 12) break;
        const faults = best().faults.map((fault, j) => (j === i ? { ...shrunk.value, id: current.id } : fault));
        if (attempt({ ...best(), faults })) {
          again = true;
          break;
        }
      }
    }
  }
}
