import { describe, expect, it } from 'vitest';
import { exampleFailure } from '../../example-document.fixture.ts';
import { indexDocument } from '../index-of-document.ts';
import { overlaps } from './label-placement.ts';
import { bandExtents, layOutLanes } from './lane-layout.ts';
import { buildScene, nearestEvent, type SceneInput } from './scene.ts';

const index = indexDocument(exampleFailure);
const input: SceneInput = {
  index,
  width: 1040,
  window: { fromUs: 2_900_000, toUs: 16_700_000 },
  scale: 'folded',
  order: 'role',
  events: exampleFailure.events.filter((event) => event.important),
  showAll: false,
  measure: (text, bold) => text.length * (bold ? 6.6 : 6.2),
};

describe('buildScene', () => {
  const scene = buildScene(input);

  it('draws every lost message, with its end short of the receiver', () => {
    const lost = scene.marks.filter((mark) => mark.message?.lost !== undefined);
    expect(lost.map((mark) => mark.event.id)).toEqual(['e5', 'e6', 'e11', 'e14', 'e15']);
    for (const mark of lost) {
      const target = scene.lanes.yByLane.get(mark.message?.to.lane ?? '') ?? 0;
      expect(Math.abs((mark.end?.y ?? target) - mark.y)).toBeLessThan(Math.abs(target - mark.y));
    }
  });

  it('covers neighbouring lanes with one band, and leaves out the lane between two others', () => {
    expect(scene.bands.map((band) => band.fault.id)).toEqual(['F1', 'F2', 'F3']);
    const byHost = layOutLanes(exampleFailure.lanes, 'host', 0);
    expect(bandExtents(byHost, ['api-0', 'etcd-0'])).toHaveLength(1);
    expect(bandExtents(byHost, ['api-1', 'kcm'])).toHaveLength(2);
  });

  it('lays no label over another, in both orders and both scales', () => {
    for (const order of ['role', 'host'] as const) {
      for (const scale of ['folded', 'true'] as const) {
        const { labels } = buildScene({ ...input, order, scale });
        const bad = labels.flatMap((a, at) =>
          labels.slice(at + 1).flatMap((b) => (overlaps(a.box, b.box) ? [`${order} ${scale}: ${a.text} | ${b.text}`] : [])),
        );
        expect(bad).toEqual([]);
      }
    }
  });

  it('keeps all badges, fault names and nearly all other labels', () => {
    const kinds = scene.labels.map((label) => label.request.id.split(':')[0]);
    expect(kinds.filter((kind) => kind === 'badge')).toHaveLength(7);
    expect(kinds.filter((kind) => kind === 'band')).toHaveLength(3);
    expect(kinds.filter((kind) => kind === 'event').length).toBeGreaterThanOrEqual(18);
  });

  it('shows all events as background, and finds the one under the pointer', () => {
    const all = buildScene({ ...input, events: exampleFailure.events, showAll: true });
    expect(all.background.length).toBeGreaterThan(100);
    const mark = all.background[5];
    expect(mark?.end).toBeDefined();
    expect(nearestEvent(all.background, mark?.x ?? 0, (mark?.y ?? 0) + 3, 9)).toBe(mark?.event.id);
    expect(nearestEvent(all.background, -500, -500, 9)).toBeUndefined();
  });

  it('leaves out lanes in which nothing happens, and names them', () => {
    const few = buildScene({
      ...input,
      window: { fromUs: 12_000_000, toUs: 13_000_000 },
      events: input.events.filter((event) => event.id === 'e21'),
    });
    expect(few.lanes.rows.map((row) => row.lane.id)).not.toContain('kcm');
    expect(few.omitted).toContain('kcm');
  });
});
