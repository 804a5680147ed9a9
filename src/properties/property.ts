import type { DefectId } from '../model/defects.ts';
import type { Facts } from '../model/facts.ts';
import type { Micros } from '../sim/time.ts';
import type { SharedViews } from './shared-views.ts';

/** What a property says of one trial. */
export type PropertyVerdict = 'held' | 'violated' | 'not-exercised' | 'gave-up';

/** One way in which a property can be broken. Signatures are made of property and clause, so the list is finite and stable. */
export interface Clause {
  readonly id: string;
  /** What must hold, in one sentence. */
  readonly must: string;
}

/** The smallest set of facts that shows a violation. */
export interface Witness {
  readonly clause: string;
  readonly atUs: Micros;
  /** One sentence with names and times, as a report's headline. */
  readonly sentence: string;
  readonly expected: string;
  readonly actual: string;
  /** The facts behind it, oldest first. */
  readonly facts: readonly WitnessFact[];
  /** Members, nodes, pods that it is about: lanes of the diagram. */
  readonly subjects: readonly string[];
  /** How expected and actual are best drawn; absent: as two texts. */
  readonly figure?: WitnessFigure;
}

export interface WitnessFact {
  readonly atUs: Micros;
  readonly subject: string;
  readonly text: string;
}

/** What a report draws beside expected and actual. */
export type WitnessFigure =
  | {
      readonly kind: 'log-grid';
      readonly members: readonly {
        readonly name: string;
        readonly entries: readonly { readonly index: number; readonly term: number }[];
        readonly commit: number;
      }[];
      readonly atIndex: number;
    }
  | {
      readonly kind: 'intervals';
      readonly rows: readonly { readonly label: string; readonly fromUs: Micros; readonly toUs: Micros | undefined }[];
    }
  | {
      readonly kind: 'line';
      readonly label: string;
      readonly points: readonly { readonly atUs: Micros; readonly value: number }[];
      readonly low: number | undefined;
      readonly high: number | undefined;
    }
  | {
      readonly kind: 'object-diff';
      readonly object: string;
      readonly rows: readonly { readonly field: string; readonly expected: string; readonly actual: string }[];
    };

/** An object of the store as it was at the end of the trial. */
export interface StoredObject {
  /** 'pods', 'deployments'. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly object: { readonly [field: string]: unknown };
}

/** What the trial's end tells a property beyond the facts. */
export interface TrialEnd {
  readonly atUs: Micros;
  /** When all faults were healed and users had stopped; undefined: the trial ended before. */
  readonly healedAtUs: Micros | undefined;
  /** The trial ran out of its budget of virtual time or events before the cluster became quiet. */
  readonly outOfBudget: boolean;
  /** Committed objects, sorted by resource, namespace, name. Empty where the cluster has no API servers. */
  readonly objects: readonly StoredObject[];
  /** Hosts that the liveness core leaves cut off or down. */
  readonly outside: readonly string[];
}

export interface PropertyContext {
  readonly facts: Facts;
  readonly clock: { readonly now: Micros };
  readonly views: SharedViews;
  /** Names of the voting etcd members. */
  readonly members: readonly string[];
  /** Reports a violation. The first of each clause counts; a property goes on judging after it. */
  violate(witness: Witness): void;
}

/** A property at work in one trial. */
export interface PropertyRun {
  /** How often the property had something to judge; 0: not exercised. */
  exercised(): number;
  /** True when nothing is left to come true: the trial may end. Absent: the property waits for nothing. */
  settled?(end: TrialEnd): boolean;
  /** Judges what only the end shows. */
  finish?(end: TrialEnd): void;
  /** Why the property could not come to a verdict, if so. */
  gaveUp?(): string | undefined;
}

/** One property: one file, one row in the registry. Reads facts and nothing else. */
export interface Property {
  readonly id: string;
  /** One sentence for people. */
  readonly about: string;
  readonly clauses: readonly Clause[];
  /** Needs API servers, controllers and nodes; the other properties also judge a bare store. */
  readonly needsKubernetes: boolean;
  /** Asks for more than the released programs keep, so it judges only trials whose scenario requires it. */
  readonly onlyWhereRequired?: boolean;
  /**
   * Judged only where this entry of the museum is on: Kubernetes 1.35 itself breaks the property, so everywhere else that is how a cluster
   * behaves and no finding. Absent: always judged.
   */
  readonly onlyWith?: DefectId;
  start(context: PropertyContext): PropertyRun;
}
