import { createFacts, type Facts } from '../model/facts.ts';
import { SECOND } from '../sim/time.ts';
import { SharedViews } from './shared-views.ts';
import type { Property, StoredObject, TrialEnd, Witness } from './property.ts';

/** Facts of a made-up trial, told in order of time: `at(seconds, tell)`. */
export type Stream = (at: (seconds: number, tell: (facts: Facts) => void) => void) => void;

/** A stream that breaks exactly one clause, and its twin that differs where it matters and breaks none. */
export interface Canary {
  readonly clause: string;
  readonly breaks: Stream;
  readonly holds: Stream;
  readonly end?: Parameters<typeof judge>[2];
  /** The end of the twin's trial, where that is what differs. */
  readonly endHolds?: Parameters<typeof judge>[2];
}

/** What a property made of a stream. */
export interface Judged {
  readonly witnesses: readonly Witness[];
  readonly clauses: readonly string[];
  readonly exercised: number;
  readonly settled: boolean | undefined;
}

export const MEMBERS = ['etcd-0', 'etcd-1', 'etcd-2'] as const;

/** Lets a property judge a stream of facts and the end of its trial. */
export function judge(
  property: Property,
  stream: Stream,
  end: {
    readonly atS?: number;
    readonly healedAtS?: number;
    readonly objects?: readonly StoredObject[];
    readonly outside?: readonly string[];
  } = {},
): Judged {
  const facts = createFacts();
  const clock = { now: 0 };
  const witnesses: Witness[] = [];
  const run = property.start({
    facts,
    clock,
    views: new SharedViews(facts, clock),
    members: MEMBERS,
    violate: (witness) => witnesses.push(witness),
  });
  stream((seconds, tell) => {
    clock.now = seconds * SECOND;
    tell(facts);
  });
  clock.now = Math.max(clock.now, (end.atS ?? 0) * SECOND);
  const trialEnd: TrialEnd = {
    atUs: clock.now,
    healedAtUs: end.healedAtS === undefined ? undefined : end.healedAtS * SECOND,
    outOfBudget: false,
    objects: end.objects ?? [],
    outside: end.outside ?? [],
  };
  const settled = run.settled?.(trialEnd);
  run.finish?.(trialEnd);
  return { witnesses, clauses: [...new Set(witnesses.map((w) => w.clause))], exercised: run.exercised(), settled };
}
