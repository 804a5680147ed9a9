/**
 * Places labels so that they cover neither each other nor what they name: each label has candidate places in order of preference, each
 * place a cost from what it would cover; the cheapest wins, and a few rounds of second thoughts repair what an early choice spoiled.
 * A label for which every place is bad is left out: its text stands in the table and the inspector.
 */
export interface Rectangle {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

export interface Candidate {
  /** Anchor point of the text, at its baseline. */
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'middle' | 'end';
  /** A shorter text for this place; else the label's. */
  readonly text?: string;
}

export interface LabelRequest {
  readonly id: string;
  readonly text: string;
  /** Best first. */
  readonly candidates: readonly Candidate[];
  readonly bold: boolean;
  /** Placed in this order, higher first; from 100 on never left out. */
  readonly priority: number;
  /** Height above and below the baseline; a badge is taller than a text. */
  readonly ascent?: number;
  readonly descent?: number;
  /** Fixed width, for a badge. */
  readonly width?: number;
  /** Obstacles of this owner do not count: a label may touch its own arrow. */
  readonly owner?: string;
}

export interface Obstacle {
  readonly shape: Rectangle | Line;
  /** Cost of covering it: once for a rectangle, per 20 pixels for a line. */
  readonly cost: number;
  readonly owner?: string;
}

export interface Line {
  readonly ax: number;
  readonly ay: number;
  readonly bx: number;
  readonly by: number;
}

export interface PlacedLabel {
  readonly request: LabelRequest;
  readonly candidate: Candidate;
  readonly text: string;
  readonly box: Rectangle;
}

export type MeasureText = (text: string, bold: boolean) => number;

const OVERLAP_COST = 900;
const PREFERENCE_COST = 3;
const NEAR = 7;
const NEAR_COST = 0.3;
/** From this cost on a label harms more than it tells. */
const WORST_COST = 420;
/** The same where there are so many labels that a reader profits from fewer. */
const WORST_COST_CROWDED = 200;
const CROWD = 60;

export function placeLabels(
  requests: readonly LabelRequest[],
  obstacles: readonly Obstacle[],
  bounds: Rectangle,
  measure: MeasureText,
): readonly PlacedLabel[] {
  // Long texts before short ones of equal priority: they have fewer places.
  const ordered = [...requests].sort(
    (a, b) => b.priority - a.priority || b.text.length - a.text.length || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  );
  const options: readonly Options[] = ordered.map((request) => ({
    places: request.candidates.map((candidate, rank) => {
      const label = boxOf(request, candidate, measure);
      return { label, cost: rank * PREFERENCE_COST + staticCost(label, obstacles, bounds) };
    }),
    withoutCost: request.priority >= 100 ? 1e6 : requests.length > CROWD ? WORST_COST_CROWDED : WORST_COST,
  }));
  const chosen: (Place | undefined)[] = ordered.map(() => undefined);
  for (let round = 0; round < 6; round++) {
    let changed = false;
    for (const index of ordered.keys()) {
      const best = bestPlace(options, chosen, index);
      if (best !== chosen[index]) {
        chosen[index] = best;
        changed = true;
      }
    }
    if (!changed && !options.some((_, index) => makeRoom(options, chosen, index))) break;
  }
  return chosen.flatMap((place) => (place === undefined ? [] : [place.label]));
}

interface Place {
  readonly label: PlacedLabel;
  /** Without other labels. */
  readonly cost: number;
}

interface Options {
  readonly places: readonly Place[];
  /** Cost of leaving the label out. */
  readonly withoutCost: number;
}

type Chosen = readonly (Place | undefined)[];

/** The cheapest place of a label while the others stay; undefined when leaving it out is cheaper. */
function bestPlace(options: readonly Options[], chosen: Chosen, index: number): Place | undefined {
  let best: Place | undefined;
  let least = options[index]?.withoutCost ?? 0;
  for (const place of options[index]?.places ?? []) {
    const cost = costOf(place, chosen, index, least);
    if (cost < least) {
      least = cost;
      best = place;
    }
  }
  return best;
}

/** Stops adding once it exceeds `enough`. */
function costOf(place: Place, chosen: Chosen, index: number, enough: number): number {
  let cost = place.cost;
  for (let other = 0; other < chosen.length && cost < enough; other++) {
    const taken = chosen[other];
    if (other !== index && taken !== undefined) cost += OVERLAP_COST * overlapShare(place.label.box, taken.label.box);
  }
  return cost;
}

/** Tries places that one other label occupies, when that one can move elsewhere and both together are better off. */
function makeRoom(options: readonly Options[], chosen: (Place | undefined)[], index: number): boolean {
  const now = chosen[index];
  const costNow = now === undefined ? (options[index]?.withoutCost ?? 0) : costOf(now, chosen, index, 1e9);
  for (const place of options[index]?.places ?? []) {
    if (place.cost >= costNow) continue;
    const inTheWay = [...chosen.keys()].filter(
      (other) => other !== index && chosen[other] !== undefined && overlaps(place.label.box, chosen[other]?.label.box ?? place.label.box),
    );
    const other = inTheWay[0];
    if (other === undefined || inTheWay.length > 1) continue;
    const before = costNow + placeCost(options, chosen, other);
    const otherNow = chosen[other];
    chosen[index] = place;
    chosen[other] = bestPlace(options, chosen, other);
    if (costOf(place, chosen, index, 1e9) + placeCost(options, chosen, other) < before - 1) return true;
    chosen[index] = now;
    chosen[other] = otherNow;
  }
  return false;
}

function placeCost(options: readonly Options[], chosen: Chosen, index: number): number {
  const place = chosen[index];
  return place === undefined ? (options[index]?.withoutCost ?? 0) : costOf(place, chosen, index, 1e9);
}

function boxOf(request: LabelRequest, candidate: Candidate, measure: MeasureText): PlacedLabel {
  const text = candidate.text ?? request.text;
  const width = request.width ?? measure(text, request.bold);
  const x0 = candidate.anchor === 'start' ? candidate.x : candidate.anchor === 'end' ? candidate.x - width : candidate.x - width / 2;
  const box = { x0: x0 - 1, x1: x0 + width + 1, y0: candidate.y - (request.ascent ?? 10), y1: candidate.y + (request.descent ?? 3.5) };
  return { request, candidate, text, box };
}

function staticCost(label: PlacedLabel, obstacles: readonly Obstacle[], bounds: Rectangle): number {
  const { box } = label;
  let cost = 0;
  if (box.x0 < bounds.x0 || box.x1 > bounds.x1 || box.y0 < bounds.y0 || box.y1 > bounds.y1) cost += 2000;
  for (const obstacle of obstacles) {
    if (obstacle.owner !== undefined && obstacle.owner === label.request.owner) continue;
    const { shape } = obstacle;
    if ('ax' in shape) {
      const length = lengthInside(shape, box);
      if (length > 0) cost += obstacle.cost * (0.5 + length / 20);
      // Close beside a foreign arrow a label reads as that arrow's.
      else if (lengthInside(shape, { x0: box.x0 - NEAR, x1: box.x1 + NEAR, y0: box.y0, y1: box.y1 }) > 0) cost += obstacle.cost * NEAR_COST;
    } else if (overlaps(box, shape)) cost += obstacle.cost;
  }
  return cost;
}

export function overlaps(a: Rectangle, b: Rectangle): boolean {
  return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;
}

/** 0 without overlap, else at least a half, so that a label is left out rather than laid over another; 1 for full cover. */
function overlapShare(a: Rectangle, b: Rectangle): number {
  if (!overlaps(a, b)) return 0;
  const area = (Math.min(a.x1, b.x1) - Math.max(a.x0, b.x0)) * (Math.min(a.y1, b.y1) - Math.max(a.y0, b.y0));
  const smaller = Math.min((a.x1 - a.x0) * (a.y1 - a.y0), (b.x1 - b.x0) * (b.y1 - b.y0));
  return 0.5 + 0.5 * Math.min(1, area / Math.max(1, smaller));
}

/** How much of a line lies inside a rectangle (Liang–Barsky clipping). */
export function lengthInside(line: Line, box: Rectangle): number {
  const dx = line.bx - line.ax;
  const dy = line.by - line.ay;
  let enter = 0;
  let leave = 1;
  for (const [p, q] of [
    [-dx, line.ax - box.x0],
    [dx, box.x1 - line.ax],
    [-dy, line.ay - box.y0],
    [dy, box.y1 - line.ay],
  ] as const) {
    if (p === 0) {
      if (q < 0) return 0;
    } else if (p < 0) enter = Math.max(enter, q / p);
    else leave = Math.min(leave, q / p);
  }
  return enter >= leave ? 0 : (leave - enter) * Math.hypot(dx, dy);
}
