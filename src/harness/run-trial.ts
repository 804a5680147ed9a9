import { createFacts } from '../model/facts.ts';
import type { TrialEnd } from '../properties/property.ts';
import { MILLISECOND, type Micros, SECOND } from '../sim/time.ts';
import { withTripwire } from '../sim/tripwire.ts';
import { World } from '../sim/world.ts';
import { clusterSystem } from './cluster-system.ts';
import { Judge } from './judge.ts';
import { Plan } from './plan.ts';
import { watchReachability } from './reachability.ts';
import type { Recorder } from './recorder.ts';
import type { System } from './system.ts';
import type { TrialInput } from './trial-input.ts';
import { sameSignature, type Signature, signatureOf, type TrialResult, type Violation } from './trial-result.ts';

export interface RunOptions {
  /** Told everything; has no influence on the run. */
  readonly recorder?: Recorder;
  /** Ends the run early, without judging what only the end shows. */
  readonly untilUs?: Micros;
  /** Ends the run as soon as this clause is broken: shrinking asks for nothing more. */
  readonly stopAt?: Signature;
}

/** Thrown when the harness itself cannot go on: says nothing about the cluster. */
export class HarnessError extends Error {
  override readonly name = 'HarnessError';
}

/** How often the end of a trial is looked for. */
const LOOK_EVERY_US = 5 * SECOND;
/** The store has no controllers to wait for: its clients go on this long after healing. */
const STORE_AFTER_HEAL_US = 50 * SECOND;
/**
 * What faults left behind shows under full load soon after healing: elections, time-outs and re-dials are over by then. From there on a fifth of
 * it shows that the store commits, at a third of the cost of a trial less.
 */
const STORE_EASE_AFTER_US = 15 * SECOND;
const STORE_EASE = 5;
/**
 * Once consensus itself is broken nothing that follows means anything, and broken members may exchange messages without end: the trial goes on
 * only as long as the consequences need to show.
 */
const AFTER_BROKEN_CONSENSUS_US = 10 * SECOND;
/** A cluster is quiet when nothing but heartbeats was written for this long. */
const QUIET_US = 75 * SECOND;

/**
 * Runs one trial: boot, chaos, healing, and the time the cluster needs to reach the desired state. Pure: the same input gives the same
 * result, digest included, in every process. @throws HarnessError on a livelock
 */
export function runTrial(input: TrialInput, options: RunOptions = {}): TrialResult {
  return withTripwire(() => new TrialRun(input, options).run());
}

class TrialRun {
  readonly #input: TrialInput;
  readonly #options: RunOptions;
  readonly #world: World;
  readonly #judge: Judge;
  readonly #plan: Plan;
  readonly #system: System;
  #healedAtUs: Micros | undefined;
  /** Set when the run is to end before its time. */
  #ended = false;
  #lastChangeUs: Micros = 0;

  constructor(input: TrialInput, options: RunOptions) {
    this.#input = input;
    this.#options = options;
    const world = new World({
      seed: `${input.scenario}/${input.seed}`,
      tiePolicy: input.swarm.tiePolicy,
      ...(options.recorder === undefined ? {} : { recorder: options.recorder }),
    });
    const facts = createFacts();
    options.recorder?.tap(facts, world);
    this.#world = world;
    const kubernetes = input.cluster.kubernetes;
    // Properties listen before anything happens.
    const members = Array.from({ length: input.cluster.controlPlanes }, (_, i) => `etcd-${i}`);
    this.#judge = new Judge(facts, world, members, kubernetes, input, (violation) => this.#violated(violation));
    this.#system = clusterSystem(world, input, facts);
    const { topology, operator } = this.#system;
    watchReachability(world, topology, facts, members.slice(0, members.length - (input.cluster.etcdSpares ?? 0)));
    this.#plan = new Plan({ world, topology, facts, operator }, facts, input);
    facts.objectChanged.subscribe((_revision, key) => {
      if (!isHeartbeat(key)) this.#lastChangeUs = world.now;
    });
    const { timing } = input;
    world.at(timing.applyAtMs * MILLISECOND, () => this.#system.applyManifests());
    world.at(timing.chaosFromMs * MILLISECOND, () => facts.phase.emit('chaos'));
    world.at(timing.healAtMs * MILLISECOND, () => {
      this.#healedAtUs = world.now;
      this.#plan.healAll();
      facts.phase.emit('healing');
      if (!kubernetes) world.at(world.now + STORE_EASE_AFTER_US, () => this.#system.easeStoreClients(STORE_EASE));
    });
  }

  run(): TrialResult {
    const outOfBudget = this.#runToEnd();
    const world = this.#world;
    const end = this.#end(outOfBudget);
    const early = this.#options.untilUs !== undefined;
    const verdict = early
      ? { status: 'passed' as const, properties: [], violations: this.#judge.violations }
      : this.#judge.finish(end, this.#input.require);
    return {
      ...verdict,
      status: verdict.violations.length > 0 ? 'violated' : verdict.status,
      digest: world.digest.value(),
      checkpoints: world.digest.checkpoints(),
      events: world.digest.events,
      endUs: world.now,
      healedAtUs: this.#healedAtUs,
      effects: this.#plan.effects(),
      notes: this.#system.notes(),
    };
  }

  /** Answers whether the cluster ran out of its virtual time before it was quiet and done. */
  #runToEnd(): boolean {
    const { timing, cluster } = this.#input;
    const until = this.#options.untilUs;
    const healAt = timing.healAtMs * MILLISECOND;
    const deadline = healAt + timing.settleMs * MILLISECOND;
    if (until !== undefined) {
      this.#advance(until);
      return false;
    }
    this.#advance(healAt);
    const world = this.#world;
    if (!cluster.kubernetes) {
      this.#advance(Math.min(deadline, healAt + STORE_AFTER_HEAL_US));
      this.#system.stopStoreClients();
      this.#advance(Math.min(deadline, healAt + STORE_AFTER_HEAL_US + 5 * SECOND));
      return false;
    }
    if (this.#ended) return false;
    // What users had begun (an uncordon, say) they may finish; then they stop.
    world.at(healAt + STORE_AFTER_HEAL_US, () => {
      this.#system.stopStoreClients();
      this.#system.stopUsers();
    });
    while (this.#world.now < deadline && !this.#ended) {
      this.#advance(Math.min(deadline, this.#world.now + LOOK_EVERY_US));
      const quietFor = this.#world.now - Math.max(this.#lastChangeUs, healAt);
      if (quietFor >= QUIET_US && this.#judge.settled(this.#end(false))) return false;
    }
    return !this.#ended;
  }

  #violated(violation: Violation): void {
    const { stopAt } = this.#options;
    const world = this.#world;
    if (stopAt !== undefined && sameSignature(signatureOf(violation), stopAt)) this.#endAt(world.now);
    else if (violation.property.startsWith('raft-')) this.#endAt(world.now + AFTER_BROKEN_CONSENSUS_US);
  }

  #endAt(at: Micros): void {
    this.#world.at(at, () => {
      this.#ended = true;
      this.#world.stop('the verdict is known');
    });
  }

  #advance(until: Micros): void {
    if (this.#ended) return;
    const end = this.#world.run(until);
    if (end.kind === 'livelock') {
      throw new HarnessError(
        `time stands still at ${end.atUs} µs: ${end.culprit} schedules without end (scenario ${this.#input.scenario}, seed ${this.#input.seed})`,
      );
    }
  }

  #end(outOfBudget: boolean): TrialEnd {
    return {
      atUs: this.#world.now,
      healedAtUs: this.#healedAtUs,
      outOfBudget,
      objects: this.#system.storedObjects(),
      outside: this.#input.core.outside,
    };
  }
}

const HEARTBEATS = ['/registry/leases/', '/registry/events/', '/registry/minions/', '/registry/masterleases/', 'compact_rev_key'];

/** Keys that change for ever by design. */
function isHeartbeat(key: string): boolean {
  return HEARTBEATS.some((prefix) => key.startsWith(prefix));
}
