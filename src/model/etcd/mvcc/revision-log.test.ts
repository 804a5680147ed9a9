import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type KeyRecord, tombstoneRecord } from './record.ts';
import { RevisionLog } from './revision-log.ts';

function row(revision: number): KeyRecord {
  return tombstoneRecord(`k${revision % 7}`, 0, revision, 0);
}

function revisions(log: RevisionLog, from = 0): number[] {
  const seen: number[] = [];
  log.forEachFrom(from, (record) => {
    seen.push(record.modRevision);
    return true;
  });
  return seen;
}

describe('RevisionLog', () => {
  it('keeps a mark as it was, whatever is appended or compacted afterwards', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 1, max: 500 }),
        (before, after, limit) => {
          const log = new RevisionLog();
          for (let i = 1; i <= before; i++) log.append(row(i));
          const mark = log.mark();
          for (let i = before + 1; i <= before + after; i++) log.append(row(i));
          let at = 0;
          while (at < before) at = log.compactBatch(at, before, limit, (record) => record.modRevision % 3 === 0).through;
          const restored = new RevisionLog(mark);
          expect(revisions(restored)).toEqual(Array.from({ length: before }, (_, i) => i + 1));
          const kept = Array.from({ length: before }, (_, i) => i + 1).filter((i) => i % 3 === 0);
          expect(revisions(log)).toEqual([...kept, ...Array.from({ length: after }, (_, i) => before + 1 + i)]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('begins at any revision', () => {
    const log = new RevisionLog();
    for (let i = 1; i <= 3000; i++) log.append(row(i));
    log.compactBatch(0, 2000, 5000, (record) => record.modRevision % 100 === 0);
    expect(revisions(log, 1950)[0]).toBe(2000);
    expect(revisions(log, 2501)).toHaveLength(500);
    expect(revisions(log, 4000)).toEqual([]);
    expect(log.size).toBe(1020);
  });

  it('goes on from a mark without touching whoever made it', () => {
    const log = new RevisionLog();
    log.append(row(1));
    const restored = new RevisionLog(log.mark());
    log.append(row(2));
    restored.append(row(3));
    expect(revisions(log)).toEqual([1, 2]);
    expect(revisions(restored)).toEqual([1, 3]);
  });

  it('stops a batch only between revisions', () => {
    const log = new RevisionLog();
    for (let sub = 0; sub < 10; sub++) log.append({ ...row(1), sub });
    log.append(row(2));
    expect(log.compactBatch(0, 2, 3, () => false)).toEqual({ through: 1, isFull: true });
    expect(log.compactBatch(1, 2, 1, () => true)).toEqual({ through: 2, isFull: true });
    expect(log.compactBatch(2, 2, 1, () => true)).toEqual({ through: 2, isFull: false });
    expect(revisions(log)).toEqual([2]);
  });
});
