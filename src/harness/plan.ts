import type { ActiveFault, FaultTarget } from '../faults/fault.ts';
import { faultOf } from '../faults/registry.ts';
import type { Facts } from '../model/facts.ts';
import { MILLISECOND, type Micros } from '../sim/time.ts';
import type { PlannedFault, TrialInput } from './trial-input.ts';

/** What a fault of the plan did in one run. */
export interface FaultEffect {
  readonly id: string;
  readonly kind: string;
  readonly label: string;
  readonly lanes: readonly string[];
  readonly injectedAtUs: Micros;
  readonly healedAtUs: Micros | undefined;
  /** 0: it touched nothing. */
  readonly touched: number;
}

interface Armed {
  readonly planned: PlannedFault;
  readonly active: ActiveFault;
  readonly injectedAtUs: Micros;
  healedAtUs: Micros | undefined;
}

/** Puts a trial's plan into a world: injects at its times, heals at its times, and heals all that is left at the end of chaos. */
export class Plan {
  readonly #target: FaultTarget;
  readonly #facts: Facts;
  readonly #armed: Armed[] = [];
  readonly #outside: readonly string[];
  #over = false;

  constructor(target: FaultTarget, facts: Facts, input: TrialInput) {
    this.#target = target;
    this.#facts = facts;
    this.#outside = input.core.outside;
    for (const planned of [...input.faults, ...input.operations]) {
      target.world.at(planned.atMs * MILLISECOND, () => this.#inject(planned));
    }
  }

  /** Heals everything that is still in effect, in the order of the plan; what lies outside the liveness core stays as it is. */
  healAll(): void {
    this.#over = true;
    for (const armed of this.#armed) {
      if (armed.healedAtUs !== undefined || this.#staysOutside(armed.planned)) continue;
      this.#heal(armed);
    }
  }

  /** What each fault did, in the order of injection. */
  effects(): readonly FaultEffect[] {
    return this.#armed.map(({ planned, active, injectedAtUs, healedAtUs }) => {
      const fault = faultOf(planned.params.kind);
      return {
        id: planned.id,
        kind: planned.params.kind,
        label: fault.describe(planned.params),
        lanes: active.lanes?.() ?? fault.lanes(planned.params, this.#target.topology),
        injectedAtUs,
        healedAtUs,
        touched: active.touched(),
      };
    });
  }

  #inject(planned: PlannedFault): void {
    // What is planned for after the general healing would never be healed.
    if (this.#over) return;
    const { world } = this.#target;
    const fault = faultOf(planned.params.kind);
    this.#facts.faultInjected.emit(planned.id, planned.params.kind, fault.lanes(planned.params, this.#target.topology).join(' '));
    const armed: Armed = { planned, active: fault.inject(this.#target, planned.params), injectedAtUs: world.now, healedAtUs: undefined };
    this.#armed.push(armed);
    if (fault.operation) this.#heal(armed);
    else if (planned.forMs !== null) {
      world.at(world.now + planned.forMs * MILLISECOND, () => {
        if (armed.healedAtUs === undefined) this.#heal(armed);
      });
    }
  }

  #heal(armed: Armed): void {
    armed.healedAtUs = this.#target.world.now;
    armed.active.heal();
    this.#facts.faultHealed.emit(armed.planned.id, armed.planned.params.kind, armed.active.touched());
  }

  #staysOutside(planned: PlannedFault): boolean {
    if (this.#outside.length === 0) return false;
    const lanes = faultOf(planned.params.kind).lanes(planned.params, this.#target.topology);
    return lanes.length > 0 && lanes.every((lane) => this.#outside.includes(lane));
  }
}
