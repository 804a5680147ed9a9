import { describe, expect, it } from 'vitest';
import type { WatchCreate, WatchResponse } from '../api.ts';
import { Lessor } from '../lessor.ts';
import { inRange } from '../keys.ts';
import { MvccStore } from './store.ts';
import { STREAM_BUFFER, type WatchStream } from './watch-stream.ts';
import { WatchableStore } from './watchable-store.ts';
import type { Watcher } from './watcher.ts';
import { WatcherGroup } from './watcher-group.ts';

function setUp(forgetsStart = false) {
  const store = new MvccStore(new Lessor(2));
  const watch = new WatchableStore(store, forgetsStart);
  const open = (fragmentBytes = Number.POSITIVE_INFINITY) =>
    watch.openStream({
      header: (revision) => ({ clusterId: 1, memberId: 1, revision, raftTerm: 1 }),
      ready: () => undefined,
      fragmentBytes,
    });
  const put = (...keys: string[]) => {
    const txn = watch.store.write();
    for (const key of keys) txn.put(key, { value: 'v', sizeBytes: 100, valueHash: undefined }, 0n);
    txn.end();
  };
  return { store, watch, open, put };
}

function drain(stream: WatchStream): WatchResponse[] {
  const messages: WatchResponse[] = [];
  for (let message = stream.take(); message !== undefined; message = stream.take()) messages.push(message);
  return messages;
}

const delivered = (messages: readonly WatchResponse[]) =>
  messages.flatMap((message) => message.events.map((event) => `${event.kv.modRevision}:${event.kv.key}`));

describe('WatchableStore', () => {
  it('delivers live changes at once, one message for a revision', () => {
    const { open, put } = setUp();
    const stream = open();
    stream.create({ key: 'a', rangeEnd: 'c' });
    put('a', 'b', 'c');
    put('b');
    expect(drain(stream).map((message) => delivered([message]))).toEqual([[], ['2:a', '2:b'], ['3:b']]);
  });

  it('gives history in one message, then goes on live without a gap', () => {
    const { watch, open, put } = setUp();
    for (let i = 0; i < 5; i++) put('a');
    const stream = open();
    stream.create({ key: 'a', startRevision: 3 });
    put('a');
    expect(delivered(drain(stream))).toEqual([]);
    watch.syncWatchers();
    put('a');
    const messages = drain(stream);
    expect(messages.map((message) => message.events.length)).toEqual([5, 1]);
    expect(delivered(messages)).toEqual(['3:a', '4:a', '5:a', '6:a', '7:a', '8:a']);
    expect(watch.counts()).toEqual({ synced: 1, unsynced: 0, victims: 0 });
  });

  it('cuts long history after a thousand revisions', () => {
    const { watch, open, put } = setUp();
    for (let i = 0; i < 2500; i++) put('a');
    const stream = open();
    stream.create({ key: 'a', startRevision: 1 });
    const sizes: number[] = [];
    while (watch.hasUnsynced) {
      watch.syncWatchers();
      sizes.push(...drain(stream).map((message) => message.events.length));
    }
    expect(sizes.filter((size) => size > 0)).toEqual([1000, 1000, 500]);
  });

  it('makes a victim of a watcher whose stream is full, and lets it catch up in order', () => {
    const { watch, open, put } = setUp();
    const stream = open();
    stream.create({ key: 'a' });
    const total = STREAM_BUFFER + 20;
    for (let i = 0; i < total; i++) put('a');
    expect(watch.counts()).toEqual({ synced: 0, unsynced: 0, victims: 1 });
    watch.retryVictims();
    expect(watch.hasVictims).toBe(true);
    const got = delivered(drain(stream));
    watch.retryVictims();
    watch.syncWatchers();
    got.push(...delivered(drain(stream)));
    expect(got).toEqual(Array.from({ length: total }, (_, i) => `${i + 2}:a`));
    expect(watch.counts().synced).toBe(1);
  });

  it('cancels a watch below the compaction with its revision, and lets one at it start', () => {
    const { store, watch, open, put } = setUp();
    for (let i = 0; i < 9; i++) put('a');
    store.compact(5);
    const stream = open();
    stream.create({ key: 'a', startRevision: 4 });
    stream.create({ key: 'a', startRevision: 5 });
    watch.syncWatchers();
    const messages = drain(stream);
    expect(messages[2]).toMatchObject({ watchId: 0, canceled: true, compactRevision: 5 });
    expect(delivered(messages)[0]).toBe('5:a');
  });

  it('says nothing before the start of a watch from the future (etcd#20221)', () => {
    const { open, put } = setUp();
    const stream = open();
    stream.create({ key: 'a', startRevision: 4, progressNotify: true });
    put('a');
    stream.requestProgress();
    stream.progressTick();
    expect(drain(stream)).toHaveLength(1);
    put('a');
    put('a');
    stream.requestProgress();
    expect(delivered(drain(stream))).toEqual(['4:a']);
  });

  it('tells of what a snapshot brought (etcd#8411)', () => {
    const { watch, open } = setUp();
    const stream = open();
    stream.create({ key: 'a' });
    const other = new MvccStore(new Lessor(2));
    for (const value of ['1', '2']) {
      const txn = other.write();
      txn.put('a', { value, sizeBytes: undefined, valueHash: undefined }, 0n);
      txn.end();
    }
    watch.restore(new MvccStore(new Lessor(2), other.mark()));
    watch.syncWatchers();
    expect(delivered(drain(stream))).toEqual(['2:a', '3:a']);
  });

  it.each([
    [false, ['5:a']],
    [true, ['4:a', '5:a']],
  ])('a snapshot does not lower the start of a watch from the future, unless it has the defect E12 (%s)', (forgetsStart, told) => {
    const { open, watch, put } = setUp(forgetsStart);
    const stream = open();
    stream.create({ key: 'a', startRevision: 5 });
    const other = new MvccStore(new Lessor(2));
    for (const value of ['1', '2']) {
      const txn = other.write();
      txn.put('a', { value, sizeBytes: undefined, valueHash: undefined }, 0n);
      txn.end();
    }
    watch.restore(new MvccStore(new Lessor(2), other.mark()));
    watch.syncWatchers();
    put('a');
    put('a');
    expect(delivered(drain(stream))).toEqual(told);
  });

  it('cuts messages into fragments, never an event', () => {
    const { watch, open, put } = setUp();
    for (let i = 0; i < 4; i++) put('a');
    const stream = open(300);
    stream.create({ key: 'a', startRevision: 1, fragment: true });
    watch.syncWatchers();
    const messages = drain(stream).slice(1);
    expect(messages.map((message) => [message.events.length, message.fragment])).toEqual([
      [2, true],
      [2, false],
    ]);
  });

  it('gives previous values from history only as far as it goes', () => {
    const { store, watch, open, put } = setUp();
    for (let i = 0; i < 4; i++) put('a');
    store.compact(4);
    const stream = open();
    stream.create({ key: 'a', startRevision: 4, prevKv: true });
    watch.syncWatchers();
    const events = drain(stream).flatMap((message) => message.events);
    expect(events.map((event) => event.prevKv?.modRevision)).toEqual([undefined, 4]);
  });
});

describe('WatcherGroup', () => {
  it('finds the watchers of a key as a scan over all would, in order of creation', () => {
    const ranges: WatchCreate[] = [
      { key: 'a' },
      { key: 'a', rangeEnd: 'c' },
      { key: 'b', rangeEnd: '\0' },
      { key: '\0', rangeEnd: '\0' },
      { key: 'a', rangeEnd: 'b' },
      { key: 'b' },
      { key: 'a', rangeEnd: 'c' },
    ];
    const group = new WatcherGroup();
    const watchers = ranges.map(({ key, rangeEnd = '' }, seq) => ({ seq, key, rangeEnd }) as Watcher);
    for (const watcher of watchers) group.add(watcher);
    const check = (among: readonly Watcher[]) => {
      for (const key of ['a', 'aa', 'b', 'bb', 'c', 'z', ' ']) {
        const expected = among.filter((watcher) => inRange(key, watcher.key, watcher.rangeEnd));
        expect(group.watchersOf(key).map((watcher) => watcher.seq)).toEqual(expected.map((watcher) => watcher.seq));
      }
    };
    check(watchers);
    for (const gone of [1, 3, 5]) group.delete(watchers[gone] as Watcher);
    check(watchers.filter((watcher) => ![1, 3, 5].includes(watcher.seq)));
    expect(group.size).toBe(4);
  });
});
