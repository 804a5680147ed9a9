/** Where the lanes lie: by role in the document's order, or gathered by host. */
import type { Lane, LaneId } from '../../document.ts';
import type { LaneOrder } from '../view-state.ts';

export const LANE_HEIGHT = 40;
/** Lanes with states carry text above and below their bar. */
const STATE_LANE_HEIGHT = 46;
const GROUP_HEIGHT = 19;

export interface LaneLayout {
  readonly rows: readonly LaneRow[];
  readonly groups: readonly { readonly label: string; readonly y: number }[];
  readonly yByLane: ReadonlyMap<LaneId, number>;
  readonly bottom: number;
}

export interface LaneRow {
  readonly lane: Lane;
  /** Middle of the lane. */
  readonly y: number;
  readonly height: number;
}

export function layOutLanes(lanes: readonly Lane[], order: LaneOrder, top: number): LaneLayout {
  const heading = (lane: Lane) => (order === 'role' ? lane.group : lane.host);
  const groups: { label: string; y: number }[] = [];
  const rows: LaneRow[] = [];
  let y = top;
  for (const group of [...new Set(lanes.map(heading))]) {
    groups.push({ label: group, y: y + 12 });
    y += GROUP_HEIGHT;
    for (const lane of lanes.filter((candidate) => heading(candidate) === group)) {
      const height = lane.states.some((state) => state.state !== 'up' && state.state !== 'down') ? STATE_LANE_HEIGHT : LANE_HEIGHT;
      rows.push({ lane, y: y + height / 2, height });
      y += height;
    }
  }
  return { rows, groups, yByLane: new Map(rows.map((row) => [row.lane.id, row.y])), bottom: y };
}

/** The vertical extents that cover exactly these lanes: neighbours share one, a lane between two of them splits it. */
export function bandExtents(layout: LaneLayout, lanes: readonly LaneId[]): readonly { readonly y0: number; readonly y1: number }[] {
  const wanted = new Set(lanes);
  const extents: { y0: number; y1: number }[] = [];
  let open: { y0: number; y1: number } | undefined;
  for (const row of layout.rows) {
    if (!wanted.has(row.lane.id)) {
      open = undefined;
      continue;
    }
    const y1 = row.y + LANE_HEIGHT / 2 - 1;
    if (open === undefined) {
      open = { y0: row.y - LANE_HEIGHT / 2 + 1, y1 };
      extents.push(open);
    } else open.y1 = y1;
  }
  return extents;
}
