import { describe, expect, it } from 'vitest';
import { NameNumbers, RecentRows } from './recent-rows.ts';

const VALUE = 1;

function put(rows: RecentRows, index: number, value: number): void {
  const row = rows.add(index);
  if (row >= 0) rows.values[row + VALUE] = value;
}

function get(rows: RecentRows, index: number): number | undefined {
  const row = rows.find(index);
  return row < 0 ? undefined : rows.values[row + VALUE];
}

describe('rows of the newest indexes', () => {
  it('knows what a Map would know, as long as it is recent', () => {
    const rows = new RecentRows(2);
    const map = new Map<number, number>();
    for (let index = 1; index <= 100_000; index += 1 + (index % 3)) {
      put(rows, index, index * 7);
      map.set(index, index * 7);
    }
    const newest = Math.max(...map.keys());
    const oldest = rows.oldest(newest);
    expect(newest - oldest).toBeGreaterThan(20_000);
    const wrong: number[] = [];
    for (let index = oldest; index <= newest; index++) if (get(rows, index) !== map.get(index)) wrong.push(index);
    // What is older may be known still, where no newer index took its place; never wrongly.
    for (let index = 1; index < oldest; index++) if (rows.find(index) >= 0 && get(rows, index) !== map.get(index)) wrong.push(index);
    expect(wrong).toEqual([]);
  });

  it('does not let an old index take the place of a new one', () => {
    const rows = new RecentRows(2);
    put(rows, 50_000, 1);
    for (let index = 1; index <= 40_000; index++) put(rows, index, 2);
    expect(get(rows, 50_000)).toBe(1);
    expect(rows.add(50_000 - 32_768)).toBe(-1);
  });
});

it('names keep their numbers', () => {
  const names = new NameNumbers();
  expect([names.of('a'), names.of('b'), names.of('a')]).toEqual([0, 1, 0]);
  expect([names.name(1), names.name(7)]).toEqual(['b', '']);
});
