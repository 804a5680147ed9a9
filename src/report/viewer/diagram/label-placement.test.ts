import { describe, expect, it } from 'vitest';
import { type LabelRequest, lengthInside, overlaps, placeLabels } from './label-placement.ts';

const bounds = { x0: 0, y0: 0, x1: 400, y1: 200 };
const measure = (text: string) => text.length * 6;
const request = (id: string, x: number, y: number, priority = 10): LabelRequest => ({
  id,
  text: 'label',
  bold: false,
  priority,
  candidates: [
    { x, y, anchor: 'start' },
    { x, y: y + 20, anchor: 'start' },
    { x: x - 4, y, anchor: 'end' },
  ],
});

describe('placeLabels', () => {
  it('takes the preferred place where nothing is in the way', () => {
    expect(placeLabels([request('a', 50, 50)], [], bounds, measure)[0]?.candidate).toEqual({ x: 50, y: 50, anchor: 'start' });
  });

  it('keeps labels of one spot apart', () => {
    const placed = placeLabels([request('a', 50, 50), request('b', 50, 50), request('c', 50, 50)], [], bounds, measure);
    expect(placed).toHaveLength(3);
    for (const a of placed) for (const b of placed) expect(a === b || !overlaps(a.box, b.box)).toBe(true);
  });

  it('leaves out what has no place, but never a label that must stand', () => {
    const crowd = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => request(id, 50, 50));
    expect(placeLabels(crowd, [], bounds, measure).length).toBeLessThan(6);
    expect(placeLabels([...crowd, request('must', 50, 50, 100)], [], bounds, measure).map((label) => label.request.id)).toContain('must');
  });

  it('avoids lines, except its own', () => {
    const line = { ax: 40, ay: 47, bx: 200, by: 47 };
    expect(placeLabels([request('a', 50, 50)], [{ shape: line, cost: 50, owner: 'x' }], bounds, measure)[0]?.candidate.y).toBe(70);
    expect(
      placeLabels([{ ...request('a', 50, 50), owner: 'x' }], [{ shape: line, cost: 50, owner: 'x' }], bounds, measure)[0]?.candidate.y,
    ).toBe(50);
  });

  it('stays inside', () => {
    expect(placeLabels([request('a', 390, 50)], [], bounds, measure)[0]?.candidate.anchor).toBe('end');
  });
});

describe('lengthInside', () => {
  const box = { x0: 0, y0: 0, x1: 10, y1: 10 };
  it('measures the part of a line within a box', () => {
    expect(lengthInside({ ax: -5, ay: 5, bx: 20, by: 5 }, box)).toBeCloseTo(10);
    expect(lengthInside({ ax: 0, ay: 0, bx: 10, by: 10 }, box)).toBeCloseTo(Math.hypot(10, 10));
    expect(lengthInside({ ax: -5, ay: 20, bx: 20, by: 20 }, box)).toBe(0);
    expect(lengthInside({ ax: 4, ay: 4, bx: 4, by: 6 }, box)).toBeCloseTo(2);
  });
});

describe('second thoughts', () => {
  it('moves a label that has a choice out of the way of one that has none', () => {
    const picky: LabelRequest = { id: 'picky', text: 'label', bold: false, priority: 5, candidates: [{ x: 50, y: 50, anchor: 'start' }] };
    const placed = placeLabels([request('free', 50, 50), picky], [], bounds, measure);
    expect(placed.map((label) => [label.request.id, label.candidate.y])).toEqual([
      ['free', 70],
      ['picky', 50],
    ]);
  });
});
