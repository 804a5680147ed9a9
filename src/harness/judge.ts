import type { Facts } from '../model/facts.ts';
import type { PropertyRun, TrialEnd } from '../properties/property.ts';
import { SharedViews } from '../properties/shared-views.ts';
import { PROPERTIES } from '../properties/registry.ts';
import type { TrialInput } from './trial-input.ts';
import type { PropertyResult, TrialResult, Violation } from './trial-result.ts';

interface Running {
  readonly id: string;
  readonly run: PropertyRun;
}

/** All properties at work on one trial. */
export class Judge {
  readonly #running: Running[] = [];
  readonly #violations: Violation[] = [];

  /** `onViolation` hears of every first violation of a clause, at the instant at which it is found. */
  constructor(
    facts: Facts,
    clock: { readonly now: number },
    members: readonly string[],
    kubernetes: boolean,
    trial: Pick<TrialInput, 'require' | 'defects'> = { require: [], defects: [] },
    onViolation?: (violation: Violation) => void,
  ) {
    const views = new SharedViews(facts, clock);
    for (const property of PROPERTIES) {
      if (property.needsKubernetes && !kubernetes) continue;
      if (property.onlyWhereRequired === true && !trial.require.includes(property.id)) continue;
      if (property.onlyWith !== undefined && !trial.defects.includes(property.onlyWith)) continue;
      const told = new Set<string>();
      const run = property.start({
        facts,
        clock,
        views,
        members,
        violate: (witness) => {
          if (told.has(witness.clause)) return;
          told.add(witness.clause);
          const violation = { property: property.id, witness };
          this.#violations.push(violation);
          onViolation?.(violation);
        },
      });
      this.#running.push({ id: property.id, run });
    }
  }

  get violations(): readonly Violation[] {
    return this.#violations;
  }

  /** True when no property waits for anything to come true. */
  settled(end: TrialEnd): boolean {
    return this.#running.every(({ run }) => run.settled?.(end) !== false);
  }

  /** The verdicts, once the trial has ended. */
  finish(end: TrialEnd, require: readonly string[]): Pick<TrialResult, 'status' | 'properties' | 'violations'> {
    for (const { run } of this.#running) run.finish?.(end);
    const properties: PropertyResult[] = this.#running.map(({ id, run }) => {
      const exercised = run.exercised();
      const broken = this.#violations.filter((v) => v.property === id);
      if (broken.length > 0)
        return { property: id, verdict: 'violated', exercised, reason: broken.map((v) => v.witness.clause).join(', ') };
      const reason = run.gaveUp?.();
      if (reason !== undefined) return { property: id, verdict: 'gave-up', exercised, reason };
      return { property: id, verdict: exercised > 0 ? 'held' : 'not-exercised', exercised };
    });
    const gaveUp = properties.some((p) => p.verdict === 'gave-up' && require.includes(p.property));
    const status = this.#violations.length > 0 ? 'violated' : gaveUp ? 'inconclusive' : 'passed';
    return { status, properties, violations: this.#violations };
  }
}
