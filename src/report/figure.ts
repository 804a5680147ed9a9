/**
 * Expected against actual: one shape for each kind of property, told apart by `kind`. A property's witness names the shape that shows it
 * best; a new shape costs a variant here and one file in `viewer/figures/`.
 */
import type { EventId, Micros } from './document.ts';

export type ReportFigure = TextPairFigure | ObjectDiffFigure | CountLineFigure | LogGridFigure | IntervalsFigure | OperationsFigure;

export interface FigureCaption {
  /** Bold: "At 12.480 s", or the property's name where the figure shows one that held. */
  readonly title: string;
  readonly subtitle?: string;
  /** Under the figure: how to read it, or the argument in words. */
  readonly note?: string;
}

/** Two texts; for a property whose witness has no better shape. */
export interface TextPairFigure extends FigureCaption {
  readonly kind: 'text-pair';
  readonly expected: string;
  readonly actual: string;
}

/** A field-level difference of two objects as YAML lines; `objectDiffLines` makes them. */
export interface ObjectDiffFigure extends FigureCaption {
  readonly kind: 'object-diff';
  readonly lines: readonly ObjectDiffLine[];
}

export interface ObjectDiffLine {
  readonly side: 'both' | 'expected' | 'actual';
  /** One line of YAML with its indentation. */
  readonly text: string;
  /** Said instead of a value that is missing: "absent; no write removed it". */
  readonly note?: string;
}

/** A number that must stay within bounds over time: ready pods during a rollout. */
export interface CountLineFigure extends FigureCaption {
  readonly kind: 'count-line';
  readonly unit: string;
  /** Step function: the value holds from its time to the next. */
  readonly points: readonly { readonly atUs: Micros; readonly value: number }[];
  /** A missing end is no bound on that side. */
  readonly bounds: readonly { readonly fromUs: Micros; readonly toUs: Micros; readonly min?: number; readonly max?: number }[];
  readonly fromUs: Micros;
  readonly toUs: Micros;
  /** Where it left the bounds. */
  readonly violationsUs: readonly Micros[];
}

/** Log index × member, with terms, and each member's commit index as a thick line. */
export interface LogGridFigure extends FigureCaption {
  readonly kind: 'log-grid';
  readonly indexes: readonly number[];
  readonly rows: readonly LogGridRow[];
  /** Under each index: on how many members it is stored. */
  readonly stored: readonly LogGridFoot[];
}

export interface LogGridRow {
  readonly member: string;
  /** Undefined when it is not known or not worth showing: the line is left out. */
  readonly commitIndex?: number;
  /** One for each index; null where the member has no entry. */
  readonly cells: readonly (LogGridCell | null)[];
}

export interface LogGridCell {
  readonly term: number;
  /** What the entry holds: "pod …-b", "(empty)". */
  readonly text: string;
  /** `wrong`: the entry of the violation; `replaced`: stands where that entry was. */
  readonly emphasis?: 'wrong' | 'replaced';
}

export interface LogGridFoot {
  readonly text: string;
  readonly wrong?: boolean;
}

/** Bars that may not overlap (one pod of a name, one holder of a lease), or that must. */
export interface IntervalsFigure extends FigureCaption {
  readonly kind: 'intervals';
  readonly fromUs: Micros;
  readonly toUs: Micros;
  readonly rows: readonly IntervalsRow[];
  /** The forbidden overlap, marked across all rows. */
  readonly overlaps: readonly { readonly fromUs: Micros; readonly toUs: Micros; readonly label: string }[];
}

export interface IntervalsRow {
  readonly label: string;
  /** `toUs` undefined: still going on at the end. */
  readonly bars: readonly { readonly fromUs: Micros; readonly toUs?: Micros; readonly label?: string }[];
  /** Points on the row: renewals, attempts. */
  readonly ticks: readonly { readonly atUs: Micros; readonly look: 'tick' | 'ring' }[];
}

/** A client history with the longest legal order; the operation that has no legal position is the witness. */
export interface OperationsFigure extends FigureCaption {
  readonly kind: 'operations';
  readonly operations: readonly HistoryOperation[];
}

export interface HistoryOperation {
  readonly client: string;
  readonly fromUs: Micros;
  /** Undefined: never answered, so it may take effect at any later time. */
  readonly toUs?: Micros;
  readonly label: string;
  /** Its place in the longest legal order, from 1; undefined: no legal position. */
  readonly position?: number;
  /** The model's state after it, one field a line. */
  readonly stateAfter?: readonly string[];
  readonly eventId?: EventId;
}
