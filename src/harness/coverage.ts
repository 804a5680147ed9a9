import { faultKinds } from '../faults/registry.ts';
import type { TrialOutcome } from './trial-task.ts';

/** How often a fault was injected, and in how many of these cases it touched something. */
export interface FaultCoverage {
  readonly kind: string;
  readonly injected: number;
  readonly touching: number;
  /** Messages, syncs, processes touched in all. */
  readonly touched: number;
}

/** How often a property had something to judge. */
export interface PropertyCoverage {
  readonly property: string;
  readonly trials: number;
  readonly exercised: number;
  readonly violated: number;
  readonly gaveUp: number;
  readonly checks: number;
}

/** What a run has reached so far: which faults touched something, which properties had something to judge. */
export class Coverage {
  readonly #faults = new Map<string, { injected: number; touching: number; touched: number }>();
  readonly #properties = new Map<string, { trials: number; exercised: number; violated: number; gaveUp: number; checks: number }>();

  add(outcome: TrialOutcome): void {
    for (const effect of outcome.effects) {
      const row = this.#faults.get(effect.kind) ?? { injected: 0, touching: 0, touched: 0 };
      row.injected++;
      row.touching += effect.touched > 0 ? 1 : 0;
      row.touched += effect.touched;
      this.#faults.set(effect.kind, row);
    }
    for (const result of outcome.properties) {
      const row = this.#properties.get(result.property) ?? { trials: 0, exercised: 0, violated: 0, gaveUp: 0, checks: 0 };
      row.trials++;
      row.exercised += result.exercised > 0 ? 1 : 0;
      row.violated += result.verdict === 'violated' ? 1 : 0;
      row.gaveUp += result.verdict === 'gave-up' ? 1 : 0;
      row.checks += result.exercised;
      this.#properties.set(result.property, row);
    }
  }

  /** A row for every kind of fault there is; kinds that were never drawn have zeros. */
  faults(): readonly FaultCoverage[] {
    return faultKinds().map((kind) => ({ kind, ...(this.#faults.get(kind) ?? { injected: 0, touching: 0, touched: 0 }) }));
  }

  properties(): readonly PropertyCoverage[] {
    return [...this.#properties.keys()]
      .sort()
      .map((property) => ({ property, ...(this.#properties.get(property) as Omit<PropertyCoverage, 'property'>) }));
  }
}
