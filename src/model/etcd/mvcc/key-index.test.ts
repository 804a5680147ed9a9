import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareKeys, inRange } from '../keys.ts';
import { KeyIndex, pushRecord } from './key-index.ts';
import { putRecord, tombstoneRecord } from './record.ts';

const name = fc.oneof(
  fc.integer({ min: 0, max: 900 }).map((n) => `/registry/pods/${n}`),
  fc.constantFrom('', '\ue000x', '😀', 'z'),
);

/** The slow twin: a list that is sorted anew for every question. */
function liveKeys(live: ReadonlySet<string>, begin: string, rangeEnd: string): readonly string[] {
  return [...live].filter((key) => inRange(key, begin, rangeEnd)).sort(compareKeys);
}

describe('KeyIndex', () => {
  it('answers ranges, limits and counts as a sorted list does', () => {
    const change = fc.tuple(name, fc.boolean());
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 300, maxLength: 900 }),
        name,
        name,
        fc.integer({ min: 0, max: 20 }),
        (changes, a, b, limit) => {
          const index = new KeyIndex();
          const live = new Set<string>();
          changes.forEach(([key, deletes], i) => {
            const entry = index.ensure(key);
            if (deletes) {
              if (entry.live !== undefined) pushRecord(entry, tombstoneRecord(key, entry.keyHash, i, 0));
              live.delete(key);
            } else {
              const fields = { key, keyHash: entry.keyHash, previous: entry.live, modRevision: i, sub: 0, lease: 0n };
              pushRecord(entry, putRecord(fields, { value: 'v', sizeBytes: undefined, valueHash: undefined }));
              live.add(key);
            }
          });
          for (const rangeEnd of [b, '\0', '']) {
            const expected = liveKeys(live, a, rangeEnd);
            const { rows, count } = index.currentRange(a, rangeEnd, limit);
            expect(count).toBe(expected.length);
            expect(rows.map((row) => row.key)).toEqual(expected.slice(0, limit));
            const visited: string[] = [];
            index.forRange(a, rangeEnd, (entry) => {
              if (entry.live !== undefined) visited.push(entry.key);
              return true;
            });
            expect(visited).toEqual(expected);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('drops keys whose rows are compacted away and keeps its counts', () => {
    const index = new KeyIndex();
    for (let i = 0; i < 2000; i++) {
      const key = `k${String(i).padStart(5, '0')}`;
      const entry = index.ensure(key);
      const fields = { key, keyHash: entry.keyHash, previous: undefined, modRevision: i, sub: 0, lease: 0n };
      pushRecord(entry, putRecord(fields, { value: 'v', sizeBytes: undefined, valueHash: undefined }));
      if (i % 3 === 0) pushRecord(entry, tombstoneRecord(key, entry.keyHash, i, 0));
    }
    index.compact((entry) => {
      if (entry.live === undefined) entry.revs = [];
    });
    expect(index.size).toBe(1333);
    expect(index.currentRange('k', 'l', 3).count).toBe(1333);
    expect(index.currentRange('k00000', 'k00010', 99).count).toBe(6);
  });
});
