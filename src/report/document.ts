/**
 * What a report shows, as plain JSON data: the one contract between the story builder (which reads a recorded trace) and every
 * reporter (the HTML viewer; later Perfetto, Markdown, JUnit, SARIF). Nothing here is computed by a reporter but layout.
 *
 * It is shaped so that a trace fills it one to one: a fact (time, host, process, kind, scalars) becomes a {@link ReportEvent}; a message
 * with its send, deliver or drop time becomes a {@link ReportMessage} and the event that stands for it; a fault's inject and heal times
 * become a {@link FaultBand}. All times are true time of the simulation since the trial's start, never a host's own clock.
 */
import type { ReportFigure } from './figure.ts';

/** Integer microseconds of virtual time since the trial's start. */
export type Micros = number;

/** Unique within a document, stable between two reports of one trial: `e17`. Shown, linked (`#sel=e17`) and named in causes. */
export type EventId = string;

/** A lane's id, normally the process's name: `etcd-2`. Filters call it a node: `node:etcd-2`. */
export type LaneId = string;

/** A fault's name in the plan: `F1`, `F2`, … */
export type FaultId = string;

export interface ReportDocument {
  /** Raised when a field changes its meaning; a viewer refuses what it does not know. */
  readonly formatVersion: 1;
  readonly verdict: VerdictHeader;
  /** Commands a reader can copy, the most useful first (replay, then shrink, …). */
  readonly commands: readonly ReportCommand[];
  /** Undefined when there is nothing to tell, as after a harness error. */
  readonly story?: Story;
  readonly run: RunSummary;
  /** The finding that stands above the space-time diagram, one sentence without a full stop. */
  readonly diagramTitle: string;
  /** In drawing order, top to bottom, for the view by role; lanes of one group must be adjacent. */
  readonly lanes: readonly Lane[];
  /** Why some processes have no lane: "No event in the slice: worker-1, scheduler". */
  readonly lanesOmitted?: string;
  /** Sorted by time, then as they happened. `j` and `k` step through them in this order. */
  readonly events: readonly ReportEvent[];
  readonly messages: readonly ReportMessage[];
  readonly operations: readonly ClientOperation[];
  readonly faults: readonly FaultBand[];
  readonly violations: readonly Violation[];
  /** Expected against actual, the violated property first. */
  readonly expected?: ExpectedSection;
  readonly objects: readonly ObjectTimeline[];
  readonly plan: FaultPlan;
  readonly properties: readonly PropertyRow[];
  readonly evidence: Evidence;
}

/** How the trial ended. Harness error: seatrial itself failed, so nothing is said about the cluster. */
export type TrialStatus = 'pass' | 'fail' | 'inconclusive' | 'harness-error';

export interface VerdictHeader {
  readonly status: TrialStatus;
  /** The violated property; for `inconclusive` the one that gave up; undefined for a pass. */
  readonly property?: string;
  /** The clause of the property that was broken, from the finite list that the property declares. */
  readonly clause?: string;
  /** One sentence that a reader understands in ten seconds; for `inconclusive` the next step, for `harness-error` what broke. */
  readonly sentence: string;
  /** Shortest form of what should have been: "write rejected". */
  readonly expected?: string;
  /** Shortest form of what was: "200 OK, revision 88". */
  readonly actual?: string;
  readonly trialId: string;
  /** As the user would type it: `0x9c41`. */
  readonly seed: string;
  readonly scenario: string;
  readonly virtualTimeUs: Micros;
  /** Faults of the trial as it was found, and of the trial shown here. Equal when nothing was shrunk. */
  readonly faults: { readonly found: number; readonly shown: number };
  /** How many of the runs in fresh processes gave the same digest; undefined when it was not tried. */
  readonly reproduced?: { readonly same: number; readonly tried: number };
  /** Further chips: commit, versions, defects switched on. */
  readonly chips: readonly LabelledText[];
}

export interface LabelledText {
  readonly label: string;
  readonly text: string;
  /** Ids, digests, commands: shown in the monospaced face. */
  readonly mono?: boolean;
}

export interface ReportCommand {
  /** What it does: "Replay". */
  readonly label: string;
  /** Complete, ready to paste: `npx seatrial replay t-7f3a`. */
  readonly command: string;
}

/** Sentences are runs of text; there is no markup in strings, so nothing needs escaping but as text. */
export type RichText = readonly RichTextRun[];

export type RichTextRun =
  | string
  | { readonly kind: 'strong'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string }
  /** A word of the field with its definition, shown where it is first used. */
  | { readonly kind: 'term'; readonly text: string; readonly definition: string };

export interface Story {
  /** The whole story in one line, without a full stop. */
  readonly title: string;
  /** Three to seven, in time order. The number of a sentence is its position, counted from 1. */
  readonly sentences: readonly StorySentence[];
}

export interface StorySentence {
  readonly atUs: Micros;
  readonly icon: ActorKind;
  readonly text: RichText;
  /** The event that the sentence's number marks in the diagram and that a click selects. */
  readonly eventId: EventId;
  /** Further events that light up while the sentence is pointed at. */
  readonly alsoEventIds?: readonly EventId[];
}

/** The shape drawn before a name. */
export type ActorKind =
  | 'client'
  | 'api-server'
  | 'etcd'
  | 'controller'
  | 'scheduler'
  | 'kubelet'
  | 'app'
  | 'network'
  | 'disk'
  | 'clock'
  | 'fault';

export interface RunSummary {
  readonly endUs: Micros;
  /** Events of the whole run; the document may hold fewer. */
  readonly eventsTotal: number;
  /** Chaos, liveness: named parts of the run, written under the overview. */
  readonly phases: readonly { readonly label: string; readonly fromUs: Micros; readonly toUs: Micros }[];
  /** Events in each bin of `binUs`, from 0 to `endUs`. */
  readonly histogram: { readonly binUs: Micros; readonly counts: readonly number[] };
  /** The part of the run that the diagram opens with; undefined: all that the slice needs. */
  readonly window?: { readonly fromUs: Micros; readonly toUs: Micros };
}

export interface Lane {
  readonly id: LaneId;
  readonly kind: ActorKind;
  /** Heading in the view by role: "API servers". */
  readonly group: string;
  /** Heading in the view by host: `cp-2`. */
  readonly host: string;
  /** The small line under the name where no state is more telling: "kubectl user", "cp-2". */
  readonly role: string;
  /** Sorted, without overlap; time without a segment counts as `up`. */
  readonly states: readonly LaneState[];
}

export interface LaneState {
  readonly fromUs: Micros;
  /** Undefined: until the end of the run. */
  readonly toUs?: Micros;
  readonly state: LaneStateKind;
  /** Under the lane's name while the cursor is inside: "leader t2". */
  readonly label?: string;
  /** Write the label (or this text) beside the segment in the diagram. */
  readonly callout?: string | true;
}

/** Believing that one leads and being able to commit are two things: `leader-without-quorum` believes only. */
export type LaneStateKind = 'up' | 'down' | 'paused' | 'leader' | 'leader-without-quorum' | 'follower' | 'candidate' | 'no-leader';

export interface ReportEvent {
  readonly id: EventId;
  /** When it took effect; for a message its arrival or its loss. */
  readonly atUs: Micros;
  readonly lane: LaneId;
  readonly mark: EventMark;
  /** The fact's kind or another greppable word: `vote`, `raft/append`. Filters: `kind:vote`. */
  readonly kind: string;
  /** Two or three words beside the mark; empty: none. */
  readonly label: string;
  /** The inspector's headline: "etcd-2 appends entry 96". */
  readonly title: string;
  /** Sentences of the inspector: what happened and why. */
  readonly text?: string;
  /** The fact's scalars as they should be read: `['commit index', '95']`. */
  readonly detail: readonly (readonly [name: string, value: string])[];
  /** Events without which this one would not have happened; all earlier or at the same instant. */
  readonly causes: readonly EventId[];
  /** In the causal slice that the diagram shows first. */
  readonly important: boolean;
  /** For `inject` and `heal`, and for what a fault destroyed. */
  readonly faultId?: FaultId;
}

/** How an event is drawn. `message` and `client` stand for a {@link ReportMessage}; `crash` breaks the lane. */
export type EventMark = 'message' | 'client' | 'inject' | 'crash' | 'heal' | 'state' | 'note';

export interface ReportMessage {
  /** The event that stands for the message (mark `message` or `client`). One event stands for one message at the most. */
  readonly eventId: EventId;
  readonly from: { readonly lane: LaneId; readonly atUs: Micros };
  /** Where it went; for a lost message when it would have arrived, or when its loss was certain. */
  readonly to: { readonly lane: LaneId; readonly atUs: Micros };
  /** Client messages are blue and belong to an operation; the others are grey. */
  readonly kind: 'internal' | 'client';
  readonly lost?: MessageLoss;
}

export interface MessageLoss {
  readonly atUs: Micros;
  /** `sender`: it never left; `in-flight`: cut on its way; `receiver`: refused or nobody was there. Places the ✕. */
  readonly where: 'sender' | 'in-flight' | 'receiver';
  readonly faultId?: FaultId;
  /** "partition F2", "connection refused". */
  readonly why: string;
}

export interface ClientOperation {
  readonly lane: LaneId;
  readonly fromUs: Micros;
  /** Undefined: never answered. */
  readonly toUs?: Micros;
  readonly label: string;
  readonly outcome: 'ok' | 'error' | 'unknown';
  /** Events of its request and its answer, if they are in the document. */
  readonly eventIds: readonly EventId[];
}

export interface FaultBand {
  readonly id: FaultId;
  /** After the name in the diagram: "partition cp-2 | cp-0, cp-1". */
  readonly label: string;
  /** Exactly the lanes that the fault acts upon; a band is drawn over these and no other. */
  readonly lanes: readonly LaneId[];
  readonly injectUs: Micros;
  /** Undefined: never healed. */
  readonly healUs?: Micros;
}

export interface Violation {
  readonly atUs: Micros;
  /** At the head of the vermilion line: "acknowledged with 1 of 3". */
  readonly label: string;
  readonly property: string;
  /** The event in which the violation shows; the report opens with it selected. */
  readonly eventId?: EventId;
}

export interface ExpectedSection {
  /** The finding: "Entry 96 was on one disk of three when it was acknowledged". */
  readonly title: string;
  /** What the property demands, for a reader who does not know it. */
  readonly lede?: string;
  readonly figures: readonly ReportFigure[];
  /** Properties that held and have a shape worth seeing. */
  readonly held: readonly ReportFigure[];
}

/** One API object over time, or what somebody believed of it. */
export interface ObjectTimeline {
  readonly kind: string;
  readonly name: string;
  /** The row is what someone was told, not what was stored; drawn dashed. */
  readonly belief?: string;
  readonly phases: readonly ObjectPhase[];
  /** Every write, never compacted; revisions are strings because they may pass 2^53. */
  readonly writes: readonly {
    readonly atUs: Micros;
    readonly resourceVersion: string;
    readonly writer: string;
    readonly eventId?: EventId;
  }[];
}

export interface ObjectPhase {
  readonly fromUs: Micros;
  readonly toUs?: Micros;
  readonly look: 'starting' | 'running' | 'ready' | 'terminating' | 'value' | 'wrong';
  readonly label?: string;
}

export interface FaultPlan {
  /** The finding: "Three faults are enough; each one is needed", or "Four faults, all of which touched something". */
  readonly title: string;
  readonly rows: readonly FaultPlanRow[];
  /** The plan as it stands in the trial file. */
  readonly yaml: string;
}

export interface FaultPlanRow {
  readonly id: FaultId;
  /** The fault's kind in the registry: `partition`. */
  readonly kind: string;
  readonly what: string;
  readonly injectUs: Micros;
  readonly healUs?: Micros;
  /** How often the fault took effect, by what it did: messages dropped 86. Empty or all zero: it touched nothing, and the report says so. */
  readonly touched: readonly { readonly what: string; readonly count: number }[];
  /** After shrinking: what happens when this fault alone is left out. */
  readonly without?: { readonly status: TrialStatus; readonly text: string };
}

/** As DESIGN.md section 5: not exercised is no success, and giving up says why. */
export type PropertyOutcome = 'held' | 'violated' | 'not-exercised' | 'gave-up';

export interface PropertyRow {
  readonly property: string;
  readonly outcome: PropertyOutcome;
  /** How often the property had something to judge. */
  readonly checks: number;
  /** Why it gave up or was not exercised; which clause was broken. */
  readonly reason?: string;
}

export interface Evidence {
  readonly digest: string;
  readonly versions: readonly LabelledText[];
  /** Lines of the trial's log in time order, those of the story first of all. */
  readonly log: readonly LogLine[];
  /** Lines in the whole log. */
  readonly logTotal: number;
  readonly coverage?: CoverageGrid;
  readonly shrinking?: Shrinking;
}

export interface LogLine {
  readonly atUs: Micros;
  readonly source: string;
  readonly text: string;
  readonly eventId?: EventId;
  readonly violation?: boolean;
}

/** Which fault hit which component in which phase. */
export interface CoverageGrid {
  readonly columns: readonly string[];
  /** A count; 0 is a hole; null cannot happen. */
  readonly rows: readonly { readonly label: string; readonly counts: readonly (number | null)[] }[];
}

export interface Shrinking {
  readonly tries: number;
  /** Faults left after the try of that number; only where it changed. */
  readonly steps: readonly { readonly attempt: number; readonly faults: number }[];
}
