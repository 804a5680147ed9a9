import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isError } from '../errors.ts';
import { Lessor } from '../lessor.ts';
import { inRange } from '../keys.ts';
import { MvccStore, type StoreDefects } from './store.ts';

function put(store: MvccStore, key: string, value: string): number {
  const txn = store.write();
  const revision = txn.put(key, { value, sizeBytes: undefined, valueHash: undefined }, 0n);
  txn.end();
  return revision;
}

function del(store: MvccStore, key: string, rangeEnd = ''): void {
  const txn = store.write();
  txn.deleteRange(key, rangeEnd);
  txn.end();
}

function read(store: MvccStore, key: string, revision = 0): unknown {
  const result = store.range(key, '', { revision, limit: 0, countOnly: false });
  return isError(result) ? result.code : result.kvs[0]?.value;
}

function compactAll(store: MvccStore, revision: number): void {
  expect(store.compact(revision)).toBeUndefined();
  while (!store.compactStep(3));
}

describe('MvccStore', () => {
  it('reads every revision as a list of whole states would', () => {
    const step = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('put', 'delete', 'range'), fc.string({ maxLength: 2 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(60), (steps, compaction) => {
        const store = new MvccStore(new Lessor(2));
        const states: Map<string, string>[] = [new Map(), new Map()];
        for (const [key, what, value] of steps) {
          const state = new Map(states[states.length - 1]);
          const gone = [...state.keys()].filter((k) => inRange(k, key, what === 'range' ? '\0' : ''));
          if (what === 'put') {
            put(store, key, value);
            state.set(key, value);
          } else {
            del(store, key, what === 'range' ? '\0' : '');
            for (const k of gone) state.delete(k);
            if (gone.length === 0) continue;
          }
          states.push(state);
        }
        expect(store.revision).toBe(states.length - 1);
        const compacted = Math.min(compaction, store.revision);
        if (compacted > 0) compactAll(store, compacted);
        const restored = new MvccStore(new Lessor(2), store.mark());
        for (const one of [store, restored]) {
          for (let revision = 1; revision <= store.revision; revision++) {
            for (const key of ['a', 'b', 'c', 'd']) {
              expect(read(one, key, revision)).toBe(revision < compacted ? 'compacted' : states[revision]?.get(key));
            }
          }
        }
      }),
    );
  });

  it('keeps the tombstone at the compacted revision, because a watch may start there (etcd#18089)', () => {
    const rows = (defects: Partial<StoreDefects>) => {
      const all = { dropsTombstoneAtCompaction: false, forgetsRevisionAfterCompaction: false, ...defects };
      const store = new MvccStore(new Lessor(2), undefined, all);
      put(store, 'a', '1');
      del(store, 'a');
      put(store, 'b', '1');
      compactAll(store, 3);
      const found: number[] = [];
      store.forEachChangeFrom(3, (record) => found.push(record.modRevision) > 0);
      return found;
    };
    expect(rows({})).toEqual([3, 4]);
    expect(rows({ dropsTombstoneAtCompaction: true })).toEqual([4]);
  });

  it('does not go back behind a compaction that a crash cut short (etcd#17780)', () => {
    const revisionAfter = (on: boolean) => {
      const defects = { dropsTombstoneAtCompaction: on, forgetsRevisionAfterCompaction: on };
      const store = new MvccStore(new Lessor(2), undefined, defects);
      put(store, 'a', '1');
      del(store, 'a');
      store.compact(3);
      // All rows are gone, the mark "finished" is not yet written.
      const mark = store.mark();
      store.compactStep();
      return new MvccStore(new Lessor(2), { ...store.mark(), finishedCompactRevision: mark.finishedCompactRevision }, defects).revision;
    };
    expect(revisionAfter(false)).toBe(3);
    expect(revisionAfter(true)).toBe(1);
  });

  it('goes on with a compaction after a restart between two batches', () => {
    const store = new MvccStore(new Lessor(2));
    for (let i = 0; i < 20; i++) put(store, 'a', String(i));
    store.compact(15);
    expect(store.compactStep(4)).toBe(false);
    const restored = new MvccStore(new Lessor(2), store.mark());
    expect(restored.compacting).toBe(true);
    expect(restored.compactRevision).toBe(15);
    while (!restored.compactStep(4));
    while (!store.compactStep(4));
    expect(restored.hashKv(0)).toEqual(store.hashKv(0));
    expect(restored.sizeBytes).toBe(store.sizeBytes);
  });

  it('has one hash for one content, at whatever batch of a compaction a member is', () => {
    const stores = [1, 2].map(() => new MvccStore(new Lessor(2)));
    for (const store of stores) {
      for (let i = 0; i < 50; i++) put(store, `k${i % 7}`, String(i));
      del(store, 'k3');
      store.compact(40);
    }
    const [slow, fast] = stores as [MvccStore, MvccStore];
    while (!fast.compactStep(5));
    slow.compactStep(5);
    expect(slow.hashKv(0)).toEqual(fast.hashKv(0));
    expect(slow.historyHash).toBe(fast.historyHash);
    put(slow, 'k1', 'x');
    put(fast, 'k1', 'y');
    expect(slow.hashKv(0)).not.toEqual(fast.hashKv(0));
    expect(slow.historyHash).not.toBe(fast.historyHash);
  });

  it('refuses compactions and reads outside of what there is', () => {
    const store = new MvccStore(new Lessor(2));
    put(store, 'a', '1');
    put(store, 'a', '2');
    compactAll(store, 3);
    expect(isError(store.compact(3) ?? 0)).toBe(true);
    expect(read(store, 'a', 2)).toBe('compacted');
    expect(read(store, 'a', 9)).toBe('futureRevision');
    expect(read(store, 'a', 3)).toBe('2');
  });
});
