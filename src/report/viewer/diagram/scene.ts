/** The space-time diagram as geometry: pure, from the document and what the reader chose. The component only draws it. */
import type { EventId, FaultBand, LaneId, LaneState, ReportDocument, ReportEvent, ReportMessage } from '../../document.ts';
import type { ReportIndex } from '../index-of-document.ts';
import type { LaneOrder, TimeScaleName, TimeWindow } from '../view-state.ts';
import { type MeasureText, type PlacedLabel, placeLabels } from './label-placement.ts';
import { labelRequests, obstaclesOf } from './labels.ts';
import { bandExtents, type LaneLayout, layOutLanes } from './lane-layout.ts';
import { foldedScale, type TimeScale, trueScale } from './time-scale.ts';

/** Least and most width of the column of lane names. */
export const NAME_WIDTH_MIN = 122;
const NAME_WIDTH_MAX = 210;
const RIGHT_MARGIN = 56;
/** Height of the axis above the lanes. */
export const TOP = 66;

export interface SceneInput {
  readonly index: ReportIndex;
  readonly width: number;
  readonly window: TimeWindow;
  readonly scale: TimeScaleName;
  readonly order: LaneOrder;
  /** The events to show, in time order. */
  readonly events: readonly ReportEvent[];
  readonly showAll: boolean;
  readonly measure: MeasureText;
}

export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly scale: TimeScale;
  readonly lanes: LaneLayout;
  readonly bands: readonly Band[];
  readonly states: readonly StateBar[];
  readonly bars: readonly OperationBar[];
  /** Marks that can be pointed at, one for each event of the slice. */
  readonly marks: readonly Mark[];
  /** Other events, drawn as one path. */
  readonly background: readonly Mark[];
  readonly violations: readonly { readonly x: number; readonly label: string }[];
  readonly labels: readonly PlacedLabel[];
  readonly omitted: string;
}

export interface Band {
  readonly fault: FaultBand;
  readonly x0: number;
  readonly x1: number;
  readonly y0: number;
  readonly y1: number;
}

export interface StateBar {
  readonly lane: LaneId;
  readonly state: LaneState;
  readonly x0: number;
  readonly x1: number;
  readonly y: number;
}

export interface OperationBar {
  readonly label: string;
  readonly open: boolean;
  readonly failed: boolean;
  readonly x0: number;
  readonly x1: number;
  readonly y: number;
}

export interface Mark {
  readonly event: ReportEvent;
  readonly message: ReportMessage | undefined;
  /** Where it starts, or where it is. */
  readonly x: number;
  readonly y: number;
  /** Its arrow, as far as it came. */
  readonly end: { readonly x: number; readonly y: number } | undefined;
}

export function buildScene(input: SceneInput): Scene {
  const { report } = input.index;
  const shown = input.showAll ? report.lanes : lanesOfSlice(report, input.events, input.index);
  const lanes = layOutLanes(shown, input.order, TOP);
  const nameWidth = nameColumn(shown, input.measure);
  const scale = timeScale(input, report, nameWidth);
  const bands = bandsOf(report, lanes, scale, input.window);
  const states = statesOf(lanes, scale, input.window);
  const bars = operationBars(report, lanes, scale, input.window);
  const all = input.events.flatMap((event) => markOf(event, input.index, lanes, scale));
  const foreground = all.length <= 60;
  const marks = all.filter((mark) => foreground || mark.event.important);
  const violations = report.violations
    .filter((violation) => inside(violation.atUs, input.window))
    .map((violation) => ({ x: scale.x(violation.atUs), label: `${(violation.atUs / 1e6).toFixed(3)} s  ${violation.label}` }));
  const drawn = { lanes, scale, bands, states, bars, marks, violations, index: input.index, folded: scale.folds.length > 0 };
  const bounds = { x0: nameWidth + 2, x1: input.width, y0: TOP - 2, y1: lanes.bottom + 4 };
  return {
    width: input.width,
    height: lanes.bottom + 26,
    scale,
    lanes,
    bands,
    states,
    bars,
    marks,
    background: all.filter((mark) => !foreground && !mark.event.important),
    violations,
    labels: placeLabels(labelRequests(drawn), obstaclesOf(drawn), bounds, input.measure),
    omitted: omittedText(report, shown),
  };
}

function inside(at: number, window: TimeWindow): boolean {
  return window.fromUs <= at && at <= window.toUs;
}

/** Lanes in which the slice shows something; a lane that only exists would push the others apart. */
function lanesOfSlice(report: ReportDocument, events: readonly ReportEvent[], index: ReportIndex): ReportDocument['lanes'] {
  const used = new Set<LaneId>([...report.faults.flatMap((fault) => fault.lanes), ...report.operations.map((operation) => operation.lane)]);
  for (const event of events) {
    used.add(event.lane);
    const message = index.messageByEvent.get(event.id);
    if (message !== undefined) used.add(message.to.lane);
  }
  return report.lanes.filter((lane) => used.has(lane.id) || lane.states.some((state) => state.callout !== undefined));
}

function omittedText(report: ReportDocument, shown: ReportDocument['lanes']): string {
  const left = report.lanes.filter((lane) => !shown.includes(lane)).map((lane) => lane.id);
  if (left.length === 0) return report.lanesOmitted ?? '';
  return report.lanesOmitted === undefined ? `No event in the slice: ${left.join(', ')}` : `${report.lanesOmitted}, ${left.join(', ')}`;
}

function nameColumn(lanes: ReportDocument['lanes'], measure: MeasureText): number {
  const widest = lanes.reduce((most, lane) => Math.max(most, measure(lane.id, true) * 1.09, measure(lane.role, false)), 0);
  return Math.round(Math.min(NAME_WIDTH_MAX, Math.max(NAME_WIDTH_MIN, widest + 32)));
}

function timeScale(input: SceneInput, report: ReportDocument, left: number): TimeScale {
  const space = { ...input.window, left, right: input.width - RIGHT_MARGIN, named: report.violations.map((violation) => violation.atUs) };
  if (input.scale === 'true') return trueScale(space);
  const times = input.events.flatMap((event) => [event.atUs, input.index.messageByEvent.get(event.id)?.from.atUs ?? event.atUs]);
  for (const operation of report.operations) times.push(operation.fromUs, operation.toUs ?? operation.fromUs);
  for (const violation of report.violations) times.push(violation.atUs);
  if (times.length < 2) for (const fault of report.faults) times.push(fault.injectUs, fault.healUs ?? fault.injectUs);
  return foldedScale(space, times);
}

function bandsOf(report: ReportDocument, lanes: LaneLayout, scale: TimeScale, window: TimeWindow): readonly Band[] {
  return report.faults.flatMap((fault) => {
    const until = fault.healUs ?? window.toUs;
    if (until < window.fromUs || fault.injectUs > window.toUs) return [];
    const x0 = scale.x(fault.injectUs);
    return bandExtents(lanes, fault.lanes).map((extent) => ({ fault, x0, x1: Math.max(x0 + 4, scale.x(until)), ...extent }));
  });
}

function statesOf(lanes: LaneLayout, scale: TimeScale, window: TimeWindow): readonly StateBar[] {
  return lanes.rows.flatMap(({ lane, y }) => {
    const bars: StateBar[] = [];
    let x = scale.left;
    const up: LaneState = { fromUs: window.fromUs, state: 'up' };
    for (const state of lane.states) {
      if ((state.toUs ?? window.toUs) <= window.fromUs || state.fromUs > window.toUs) continue;
      const x0 = state.fromUs <= window.fromUs ? scale.left : scale.x(state.fromUs);
      const x1 = state.toUs === undefined || state.toUs >= window.toUs ? scale.right : scale.x(state.toUs);
      if (x0 > x) bars.push({ lane: lane.id, state: up, x0: x, x1: x0, y });
      if (x1 > x0) bars.push({ lane: lane.id, state, x0, x1, y });
      x = x1;
    }
    if (x < scale.right) bars.push({ lane: lane.id, state: up, x0: x, x1: scale.right, y });
    return bars;
  });
}

function operationBars(report: ReportDocument, lanes: LaneLayout, scale: TimeScale, window: TimeWindow): readonly OperationBar[] {
  return report.operations.flatMap((operation) => {
    const y = lanes.yByLane.get(operation.lane);
    const until = operation.toUs ?? window.toUs;
    if (y === undefined || until < window.fromUs || operation.fromUs > window.toUs) return [];
    const x0 = scale.x(operation.fromUs);
    const open = operation.toUs === undefined;
    return [{ label: operation.label, open, failed: operation.outcome === 'error', x0, x1: Math.max(x0 + 3, scale.x(until)), y }];
  });
}

function markOf(event: ReportEvent, index: ReportIndex, lanes: LaneLayout, scale: TimeScale): readonly Mark[] {
  const message = index.messageByEvent.get(event.id);
  const y = lanes.yByLane.get(message?.from.lane ?? event.lane);
  if (y === undefined) return [];
  if (message === undefined) return [{ event, message, x: scale.x(event.atUs), y, end: undefined }];
  const x = scale.x(message.from.atUs);
  const yTo = lanes.yByLane.get(message.to.lane);
  if (yTo === undefined || yTo === y) return [{ event, message, x: scale.x(event.atUs), y, end: undefined }];
  const direction = Math.sign(yTo - y);
  const share = message.lost === undefined ? 1 : lostShare(message);
  const gap = share === 1 ? 5 * direction : 0;
  const end = { x: x + (scale.x(message.to.atUs) - x) * share, y: y + (yTo - y) * share - gap };
  return [{ event, message, x, y: y + direction * 4, end }];
}

/** How far a lost message came, as a share of its way: seen best when the ✕ keeps clear of both lanes. */
function lostShare(message: ReportMessage): number {
  const { lost, from, to } = message;
  if (lost === undefined || lost.where === 'receiver') return 0.93;
  if (lost.where === 'sender') return 0.14;
  const share = (lost.atUs - from.atUs) / Math.max(1, to.atUs - from.atUs);
  return share > 0.15 && share < 0.85 ? share : 0.56;
}

/** The event whose arrow or mark lies nearest to a point, within `reach` pixels. */
export function nearestEvent(marks: readonly Mark[], x: number, y: number, reach: number): EventId | undefined {
  let best: EventId | undefined;
  let least = reach;
  for (const mark of marks) {
    const end = mark.end ?? mark;
    const dx = end.x - mark.x;
    const dy = end.y - mark.y;
    const length = dx * dx + dy * dy;
    const share = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - mark.x) * dx + (y - mark.y) * dy) / length));
    const distance = Math.hypot(x - mark.x - share * dx, y - mark.y - share * dy);
    if (distance < least) {
      least = distance;
      best = mark.event.id;
    }
  }
  return best;
}
