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
/** From this cost on a label harms more than it tells. */
const WORST_COST = 420;

export function placeLabels(requests: readonly LabelRequest[], obstacles: readonly Obstacle[], bounds: Rectangle, measure: MeasureText): readonly PlacedLabel[] {
  const ordered = [...requests].sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const options = ordered.map((request) => {
    return request.candidates.map((candidate, rank) => {
      const placed = boxOf(request, candidate, measure);
      return { placed, cost: rank * PREFERENCE_COST + staticCost(placed, obstacles, bounds) };
    });
  });
  const chosen: ({ readonly placed: PlacedLabel; readonly cost: number } | undefined)[] = ordered.map(() => undefined);
  for (let round = 0; round < 4; round++) {
    let changed = false;
    for (const [index, places] of options.entries()) {
      let best: (typeof places)[number] | undefined;
      let least = Number.POSITIVE_INFINITY;
      for (const place of places) {
        let cost = place.cost;
        for (const [other, taken] of chosen.entries()) {
          if (cost >= least) break;
          if (other !== index && taken !== undefined) cost += OVERLAP_COST * overlapShare(place.placed.box, taken.placed.box);
        }
        if (cost < least) {
          least = cost;
          best = place;
        }
      }
      const keep = least < WORST_COST || (ordered[index]?.priority ?? 0) >= 100 ? best : undefined;
      if (keep !== chosen[index]) changed = true;
      chosen[index] = keep;
    }
    if (!changed) break;
  }
  return chosen.flatMap((place) => (place === undefined ? [] : [place.placed]));
}

function boxOf(request: LabelRequest, candidate: Candidate, measure: MeasureText): PlacedLabel {
  const text = candidate.text ?? request.text;
  const width = request.width ?? measure(text, request.bold);
  const x0 = candidate.anchor === 'start' ? candidate.x : candidate.anchor === 'end' ? candidate.x - width : candidate.x - width / 2;
  const box = { x0: x0 - 1, x1: x0 + width + 1, y0: candidate.y - (request.ascent ?? 9.5), y1: candidate.y + (request.descent ?? 3.5) };
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
    } else if (overlaps(box, shape)) cost += obstacle.cost;
  }
  return cost;
}

export function overlaps(a: Rectangle, b: Rectangle): boolean {
  return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;
}

/** 0 without overlap, else at least a third, up to 1 for full cover: a slight touch is better than a full one. */
function overlapShare(a: Rectangle, b: Rectangle): number {
  if (!overlaps(a, b)) return 0;
  const area = (Math.min(a.x1, b.x1) - Math.max(a.x0, b.x0)) * (Math.min(a.y1, b.y1) - Math.max(a.y0, b.y0));
  const smaller = Math.min((a.x1 - a.x0) * (a.y1 - a.y0), (b.x1 - b.x0) * (b.y1 - b.y0));
  return 0.35 + 0.65 * Math.min(1, area / Math.max(1, smaller));
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
