import type { FaultEffect } from '../harness/plan.ts';
import type { Micros } from '../sim/time.ts';
import type { FaultMoment } from './moment.ts';

/** The injections and healings of a run's plan, one object each. */
export class FaultMoments {
  readonly all: readonly FaultMoment[];
  readonly #injections = new Map<string, FaultMoment>();
  readonly #heals = new Map<string, FaultMoment>();

  constructor(effects: readonly FaultEffect[]) {
    const all: FaultMoment[] = [];
    for (const effect of effects) {
      const injection: FaultMoment = { moment: 'inject', effect, atUs: effect.injectedAtUs };
      this.#injections.set(effect.id, injection);
      all.push(injection);
      // What a user does begins and ends at one instant.
      if (effect.healedAtUs === undefined || effect.healedAtUs === effect.injectedAtUs) continue;
      const heal: FaultMoment = { moment: 'heal', effect, atUs: effect.healedAtUs };
      this.#heals.set(effect.id, heal);
      all.push(heal);
    }
    this.all = all.sort((a, b) => a.atUs - b.atUs);
  }

  injection(id: string): FaultMoment | undefined {
    return this.#injections.get(id);
  }

  heal(id: string): FaultMoment | undefined {
    return this.#heals.get(id);
  }

  /** What the plan did at an instant. */
  at(atUs: Micros): readonly FaultMoment[] {
    return this.all.filter((moment) => moment.atUs === atUs);
  }

  /** A fault that waited in a program for its trigger and fired: `crash-at-effect`, `crash-at-fact`. */
  armedOn(program: string, atUs: Micros): FaultMoment | undefined {
    return this.all.findLast(
      ({ moment, effect }) =>
        moment === 'inject' &&
        effect.injectedAtUs <= atUs &&
        atUs <= (effect.healedAtUs ?? atUs) &&
        effect.touched > 0 &&
        effect.kind.startsWith('crash-at-') &&
        effect.lanes.includes(program),
    );
  }
}
