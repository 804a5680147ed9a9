/**
 * From virtual time to pixels. Folded: quiet gaps become a zigzag of fixed width, and each busy segment has a linear scale of its own, as
 * wide as its number of instants deserves. True: one linear scale.
 */
import type { Micros } from '../../document.ts';
import { duration, secondsAtStep } from '../format.ts';
import { niceTicks } from '../ticks.ts';

export interface TimeScale {
  readonly left: number;
  readonly right: number;
  readonly x: (at: Micros) => number;
  /** The inverse, rounded to whole microseconds. */
  readonly at: (x: number) => Micros;
  readonly folds: readonly Fold[];
  readonly ticks: readonly Tick[];
}

export interface Fold {
  readonly x: number;
  readonly width: number;
  readonly label: string;
}

export interface Tick {
  readonly x: number;
  /** Empty for a minor tick. */
  readonly label: string;
  readonly named: boolean;
}

export interface ScaleInput {
  readonly fromUs: Micros;
  readonly toUs: Micros;
  readonly left: number;
  readonly right: number;
  /** Instants that get a tick of their own: the violations. */
  readonly named?: readonly Micros[];
}

const FOLD_WIDTH = 17;
const SEGMENT_PADDING = 13;
/** Pixels that a tick's label needs, with its distance to the next. */
const LABEL_ROOM = 38;

interface Piece {
  readonly fromUs: Micros;
  readonly toUs: Micros;
  readonly x0: number;
  readonly x1: number;
}

export function trueScale(input: ScaleInput): TimeScale {
  return fromPieces(input, [{ fromUs: input.fromUs, toUs: Math.max(input.fromUs + 1, input.toUs), x0: input.left, x1: input.right }], []);
}

/** @param times instants at which something happens, in any order; those outside the window are ignored. */
export function foldedScale(input: ScaleInput, times: readonly Micros[]): TimeScale {
  const instants = [...new Set(times)].filter((at) => input.fromUs <= at && at <= input.toUs).sort((a, b) => a - b);
  if (instants.length < 2) return trueScale(input);
  const width = input.right - input.left;
  const segments = splitAtGaps(instants, Math.max(1, Math.min(9, Math.floor(width / 90))));
  const weights = segments.map((segment) => 28 + 17 * (segment.length - 1) ** 0.97);
  const unit = (width - FOLD_WIDTH * (segments.length - 1)) / weights.reduce((sum, weight) => sum + weight, 0);
  const pieces: Piece[] = [];
  const folds: Fold[] = [];
  let x = input.left;
  for (const [index, segment] of segments.entries()) {
    const segmentWidth = (weights[index] ?? 0) * unit;
    const first = segment[0] ?? 0;
    const last = segment.at(-1) ?? 0;
    const padding = first === last ? segmentWidth / 2 : Math.min(SEGMENT_PADDING, segmentWidth / 4);
    pieces.push({ fromUs: first, toUs: last, x0: x + padding, x1: x + segmentWidth - padding });
    x += segmentWidth;
    const next = segments[index + 1]?.[0];
    if (next !== undefined) folds.push({ x, width: FOLD_WIDTH, label: duration(next - last) });
    x += FOLD_WIDTH;
  }
  return fromPieces(input, pieces, folds);
}

/** Cuts at the longest gaps: at most `most`, and only at gaps that dwarf both the usual one and the longest that would stay. */
function splitAtGaps(instants: readonly Micros[], most: number): readonly (readonly Micros[])[] {
  const gaps = instants.slice(1).map((at, index) => ({ at, gap: at - (instants[index] ?? at) }));
  const sorted = gaps.map(({ gap }) => gap).sort((a, b) => a - b);
  const usual = sorted[Math.floor(sorted.length / 4)] ?? 0;
  const longest = [...gaps].sort((a, b) => b.gap - a.gap || a.at - b.at);
  const least = Math.max(sorted.length < 4 ? 0 : 8 * usual, 1.5 * (longest[most]?.gap ?? 0));
  const cuts = new Set(longest.slice(0, most).flatMap(({ gap, at }) => (gap >= least ? [at] : [])));
  const segments: Micros[][] = [];
  for (const at of instants) {
    const current = segments.at(-1);
    if (current === undefined || cuts.has(at)) segments.push([at]);
    else current.push(at);
  }
  return segments;
}

function fromPieces(input: ScaleInput, pieces: readonly Piece[], folds: readonly Fold[]): TimeScale {
  const first = pieces[0];
  const last = pieces.at(-1);
  const knots: (readonly [Micros, number])[] = [];
  if (first !== undefined && last !== undefined) {
    if (first.fromUs > input.fromUs) knots.push([input.fromUs, input.left]);
    for (const piece of pieces) {
      knots.push([piece.fromUs, piece.x0]);
      if (piece.toUs > piece.fromUs) knots.push([piece.toUs, piece.x1]);
    }
    if (last.toUs < input.toUs) knots.push([input.toUs, input.right]);
  }
  return {
    left: input.left,
    right: input.right,
    x: (at) => interpolate(knots, 0, 1, Math.min(input.toUs, Math.max(input.fromUs, at))),
    at: (x) => Math.round(interpolate(knots, 1, 0, Math.min(input.right, Math.max(input.left, x)))),
    folds,
    ticks: pieces.flatMap((piece) => ticksOf(piece, input.named ?? [])),
  };
}

/** The piecewise linear function through the knots; `from` and `to` name the coordinate that is given and the one that is asked. */
function interpolate(knots: readonly (readonly [number, number])[], from: 0 | 1, to: 0 | 1, value: number): number {
  let low = 0;
  let high = knots.length - 1;
  while (low < high - 1) {
    const middle = (low + high) >> 1;
    if ((knots[middle]?.[from] ?? 0) <= value) low = middle;
    else high = middle;
  }
  const a = knots[low];
  const b = knots[high];
  if (a === undefined || b === undefined) return 0;
  const span = b[from] - a[from];
  return span <= 0 ? a[to] : a[to] + ((b[to] - a[to]) * (value - a[from])) / span;
}

/** Round times, minor ticks half-way, and the named instants; a round time gives way to a named one beside it. */
function ticksOf(piece: Piece, named: readonly Micros[]): readonly Tick[] {
  const width = piece.x1 - piece.x0;
  const span = piece.toUs - piece.fromUs;
  const x = (at: Micros) => piece.x0 + (span === 0 ? 0 : ((at - piece.fromUs) / span) * width);
  const { step, values } = niceTicks(piece.fromUs, piece.toUs, Math.max(1, Math.floor(width / LABEL_ROOM)));
  const own = named
    .filter((at) => piece.fromUs <= at && at <= piece.toUs)
    .map((at) => ({ x: x(at), label: secondsAtStep(at, 10_000, 2), named: true }));
  const clear = (tick: Tick) => own.every((other) => Math.abs(other.x - tick.x) >= LABEL_ROOM);
  if (width < 2 * LABEL_ROOM) {
    const roundest = [piece.fromUs, ...values, piece.toUs].reduce((best, at) => (trailingZeros(at) > trailingZeros(best) ? at : best));
    return own.length > 0 ? own : [{ x: x(roundest), label: secondsAtStep(roundest, 10_000, 2), named: false }];
  }
  const round = values.map((at) => ({ x: x(at), label: secondsAtStep(at, step, step < 1e6 ? 2 : 0), named: false }));
  const minor = values
    .filter((at) => step >= 2 && at + step / 2 < piece.toUs)
    .map((at) => ({ x: x(at + step / 2), label: '', named: false }));
  return [...own, ...round.filter(clear), ...minor].sort((a, b) => a.x - b.x);
}

/** How round a time is: 11.000 s before 10.998 s. */
function trailingZeros(at: Micros): number {
  let zeros = 0;
  for (let rest = at; rest !== 0 && rest % 10 === 0; rest /= 10) zeros++;
  return zeros;
}
