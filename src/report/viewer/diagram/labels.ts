/** What the diagram's labels say, where each may stand, and what they must not cover. */
import type { ReportIndex } from '../index-of-document.ts';
import type { Candidate, LabelRequest, Obstacle, Rectangle } from './label-placement.ts';
import type { LaneLayout } from './lane-layout.ts';
import type { Band, Mark, OperationBar, Scene, StateBar } from './scene.ts';

export type Drawn = Pick<Scene, 'lanes' | 'scale' | 'bands' | 'states' | 'bars' | 'marks' | 'violations'> & { readonly index: ReportIndex };

/** Radius of a numbered badge. */
export const BADGE_RADIUS = 8.2;

/** The class of label, first part of its id: `event:e17`. */
export type LabelKind = 'badge' | 'event' | 'band' | 'state' | 'operation';

export function labelRequests(drawn: Drawn): readonly LabelRequest[] {
  const requests: LabelRequest[] = [];
  for (const mark of drawn.marks) {
    const step = drawn.index.stepByEvent.get(mark.event.id);
    if (step !== undefined) requests.push(badge(mark, step));
    if (mark.event.label !== '') requests.push(eventLabel(mark));
  }
  const named = new Set<string>();
  for (const band of drawn.bands) {
    if (named.has(band.fault.id)) continue;
    named.add(band.fault.id);
    requests.push(bandLabel(band));
  }
  for (const state of drawn.states) {
    if (state.state.callout !== undefined) requests.push(stateLabel(state));
  }
  for (const bar of drawn.bars) requests.push(operationLabel(bar));
  return requests;
}

function badge(mark: Mark, step: number): LabelRequest {
  // A message's number stands at the end where it took effect.
  const at = mark.end !== undefined && mark.message?.lost === undefined ? mark.end : mark;
  const places: Candidate[] = [];
  for (const radius of [13, 19, 27]) {
    for (const [dx, dy] of [
      [1, -0.9],
      [-1, -0.9],
      [0, -1.35],
      [1, 0.95],
      [-1, 0.95],
      [0, 1.35],
      [-1, 0],
      [1, 0],
    ] as const) {
      places.push({ x: at.x + dx * radius, y: at.y + dy * radius, anchor: 'middle' });
    }
  }
  return {
    id: `badge:${mark.event.id}`,
    text: String(step),
    bold: true,
    priority: 120,
    candidates: places,
    width: 16.4,
    ascent: BADGE_RADIUS,
    descent: BADGE_RADIUS,
    owner: `near:${mark.event.id}`,
  };
}

function eventLabel(mark: Mark): LabelRequest {
  const base = { id: `event:${mark.event.id}`, text: mark.event.label, bold: true, owner: mark.event.id };
  const { end } = mark;
  if (end === undefined) {
    const places: Candidate[] = [];
    for (const dy of [-11, 18, -24, 30]) {
      for (const dx of [4, -4, 10, -10]) places.push({ x: mark.x + dx, y: mark.y + dy, anchor: dx < 0 ? 'end' : 'start' });
    }
    for (const dx of [9, -9]) places.push({ x: mark.x + dx, y: mark.y - 6, anchor: dx < 0 ? 'end' : 'start' });
    return { ...base, priority: 50, candidates: places };
  }
  const places: Candidate[] = [];
  // A long arrow crosses lanes that it has nothing to do with: there its name stands near an end.
  const long = Math.abs(end.y - mark.y) > 95;
  const steps =
    mark.message?.lost !== undefined
      ? [1, 0.7, 0.45, 1.12, 0.25]
      : long
        ? [0.14, 0.24, 0.86, 0.36, 0.64, 0.5]
        : [0.5, 0.36, 0.64, 0.24, 0.76, 0.14, 0.86];
  for (const share of steps) {
    const x = mark.x + (end.x - mark.x) * share;
    const y = mark.y + (end.y - mark.y) * share + 4;
    const clear = 7 + (share >= 1 ? 3 : 0);
    places.push({ x: x + clear, y, anchor: 'start' }, { x: x - clear, y, anchor: 'end' });
    if (share >= 1) places.push({ x: x + 4, y: y + 13, anchor: 'start' }, { x: x - 4, y: y + 13, anchor: 'end' });
  }
  // A second ring, further off, for crowded places.
  for (const share of [0.5, 0.25, 0.75]) {
    const x = mark.x + (end.x - mark.x) * share;
    const y = mark.y + (end.y - mark.y) * share + 4;
    places.push({ x: x + 18, y, anchor: 'start' }, { x: x - 18, y, anchor: 'end' });
  }
  return { ...base, priority: mark.event.mark === 'client' ? 60 : mark.message?.lost === undefined ? 45 : 48, candidates: places };
}

function bandLabel(band: Band): LabelRequest {
  const full = `${band.fault.id} ${band.fault.label}`;
  const places: Candidate[] = [];
  const along = [5, 14, 40, 90, 160, 240].filter((dx) => dx === 5 || band.x0 + dx < band.x1 - 40);
  for (const dx of along) places.push({ x: band.x0 + dx, y: band.y0 + 12, anchor: 'start' });
  for (const dx of along) places.push({ x: band.x0 + dx, y: band.y1 - 5, anchor: 'start' });
  for (const dx of along) places.push({ x: band.x0 + dx, y: band.y0 - 5, anchor: 'start' });
  for (const text of [`${band.fault.id} ${band.fault.label.split(' ')[0] ?? ''}`, band.fault.id]) {
    for (const dx of along)
      places.push({ x: band.x0 + dx, y: band.y0 + 12, anchor: 'start', text }, { x: band.x0 + dx, y: band.y1 - 5, anchor: 'start', text });
    places.push({ x: band.x0 - 5, y: band.y0 + 12, anchor: 'end', text });
  }
  return { id: `band:${band.fault.id}`, text: full, bold: true, priority: 101, candidates: places };
}

function stateLabel(bar: StateBar): LabelRequest {
  const { callout, label } = bar.state;
  const text = callout === true ? (label ?? bar.state.state) : (callout ?? '');
  const places: Candidate[] = [];
  const along = [5, 20, 60, 120, 200, -10].filter((dx) => dx <= 5 || bar.x0 + dx < bar.x1 - 30);
  for (const dy of [-8, 17]) for (const dx of along) places.push({ x: bar.x0 + dx, y: bar.y + dy, anchor: 'start' });
  for (const dy of [-8, 17])
    places.push({ x: (bar.x0 + bar.x1) / 2, y: bar.y + dy, anchor: 'middle' }, { x: bar.x1 - 4, y: bar.y + dy, anchor: 'end' });
  return { id: `state:${bar.lane}:${bar.state.fromUs}`, text, bold: false, priority: 70, candidates: places };
}

function operationLabel(bar: OperationBar): LabelRequest {
  const places: Candidate[] = [];
  for (const dy of [-10, 18]) {
    places.push(
      { x: bar.x0, y: bar.y + dy, anchor: 'start' },
      { x: (bar.x0 + bar.x1) / 2, y: bar.y + dy, anchor: 'middle' },
      { x: bar.x1, y: bar.y + dy, anchor: 'end' },
    );
    places.push({ x: bar.x0 + 30, y: bar.y + dy, anchor: 'end' }, { x: bar.x0 - 4, y: bar.y + dy + 4, anchor: 'end' });
  }
  return { id: `operation:${bar.x0}:${bar.y}:${bar.label}`, text: bar.label, bold: true, priority: 80, candidates: places };
}

/** Everything that a label should leave in sight, with how much it hurts to cover it. */
export function obstaclesOf(drawn: Drawn): readonly Obstacle[] {
  const obstacles: Obstacle[] = [];
  for (const mark of drawn.marks) {
    const owner = mark.event.id;
    if (mark.end === undefined) obstacles.push({ shape: around(mark.x, mark.y, 7), cost: 300, owner });
    else {
      obstacles.push({ shape: { ax: mark.x, ay: mark.y, bx: mark.end.x, by: mark.end.y }, cost: 75, owner });
      obstacles.push({ shape: around(mark.x, mark.y, 3), cost: 40, owner });
      if (mark.message?.lost !== undefined) obstacles.push({ shape: around(mark.end.x, mark.end.y, 5.5), cost: 300 });
      else obstacles.push({ shape: around(mark.end.x, mark.end.y, 4), cost: 60, owner: `near:${owner}` });
    }
  }
  for (const bar of drawn.states) {
    const thick = bar.state.state === 'leader' || bar.state.state === 'leader-without-quorum';
    const half = thick ? 4 : 1.5;
    obstacles.push({ shape: { x0: bar.x0, x1: bar.x1, y0: bar.y - half, y1: bar.y + half }, cost: thick ? 320 : 70 });
  }
  for (const bar of drawn.bars) obstacles.push({ shape: { x0: bar.x0, x1: bar.x1, y0: bar.y - 6, y1: bar.y + 6 }, cost: 320 });
  for (const violation of drawn.violations)
    obstacles.push({ shape: { ax: violation.x, ay: 60, bx: violation.x, by: drawn.lanes.bottom }, cost: 260 });
  for (const band of drawn.bands) {
    for (const x of [band.x0, band.x1]) obstacles.push({ shape: { ax: x, ay: band.y0, bx: x, by: band.y1 }, cost: 60 });
  }
  obstacles.push(...groupLines(drawn.lanes, drawn.scale.left, drawn.scale.right));
  return obstacles;
}

function groupLines(lanes: LaneLayout, left: number, right: number): readonly Obstacle[] {
  return lanes.groups.slice(1).map((group) => ({ shape: { ax: left, ay: group.y - 11.5, bx: right, by: group.y - 11.5 }, cost: 2 }));
}

function around(x: number, y: number, radius: number): Rectangle {
  return { x0: x - radius, x1: x + radius, y0: y - radius, y1: y + radius };
}
