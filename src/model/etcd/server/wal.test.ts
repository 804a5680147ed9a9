import { describe, expect, it } from 'vitest';
import type { Entry } from '../../../raft/types.ts';
import type { Process } from '../../../sim/process.ts';
import { World } from '../../../sim/world.ts';
import { Wal, type WalDefects } from './wal.ts';

const healthy: WalDefects = { forgetsVote: false, resurrectsTruncated: false, syncsLate: false };
const confState = { voters: [1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };

function setUp() {
  const world = new World({ seed: 'wal' });
  const host = world.addHost({ name: 'h', zone: 'z' });
  let process: Process | undefined;
  host.install({
    name: 'p',
    start: (started) => {
      process = started;
    },
  });
  world.run(1);
  if (process === undefined) throw new Error('no process');
  const owner = process;
  const wal = (defects = healthy) => new Wal(owner, 'wal/', defects);
  const entries = (term: number, from: number, to: number): Entry[] =>
    Array.from({ length: to - from + 1 }, (_, i) => ({ term, index: from + i, type: 0, data: undefined, sizeBytes: 0 }));
  const sync = (log: Wal) => {
    let done = false;
    log.sync(() => {
      done = true;
    });
    world.run(world.now + 1_000_000);
    expect(done).toBe(true);
  };
  return { world, host, wal, entries, sync };
}

const positions = (entries: readonly Entry[]) => entries.map((entry) => `${entry.term}/${entry.index}`);

describe('Wal', () => {
  it('gives back what was written; later entries replace those at their place', () => {
    const { wal, entries, sync } = setUp();
    const log = wal();
    log.create({ memberId: 5, clusterId: 6 });
    log.save({ term: 1, vote: 1, commit: 0 }, entries(1, 1, 5));
    log.save({ term: 2, vote: 2, commit: 3 }, entries(2, 4, 4));
    sync(log);
    const content = wal().open({ index: 0 });
    expect(content?.metadata).toEqual({ memberId: 5, clusterId: 6 });
    expect(content?.state).toEqual({ term: 2, vote: 2, commit: 3 });
    expect(positions(content?.entries ?? [])).toEqual(['1/1', '1/2', '1/3', '2/4']);
  });

  it('loses at most what was not synced, and cuts off a torn end', () => {
    for (let i = 0; i < 20; i++) {
      const { host, world, wal, entries, sync } = setUp();
      const log = wal();
      log.create({ memberId: 5, clusterId: 6 });
      log.save(undefined, entries(1, 1, 3));
      sync(log);
      log.save(undefined, entries(1, 4, 4 + i));
      host.crash();
      world.run(world.now + 10);
      host.boot();
      world.run(world.now + 10);
      const owner = host.process('p');
      if (owner === undefined) throw new Error('not booted');
      const found = new Wal(owner, 'wal/', healthy).open({ index: 0 })?.entries ?? [];
      expect(found.length).toBeGreaterThanOrEqual(3);
      expect(positions(found)).toEqual(positions(entries(1, 1, found.length)));
      expect(
        host.disk
          .list('wal/')
          .flatMap((file) => host.disk.read(file) ?? [])
          .some((record) => record.torn),
      ).toBe(false);
    }
  });

  it('takes the old tail away with an entry that was overwritten below the snapshot (etcd#22442)', () => {
    const { wal, entries, sync } = setUp();
    const log = wal();
    log.create({ memberId: 5, clusterId: 6 });
    log.save(undefined, entries(1, 1, 9));
    log.save(undefined, entries(2, 5, 6));
    log.saveSnapshot({ index: 6, term: 2, confState });
    sync(log);
    expect(positions(wal().open({ index: 6 })?.entries ?? [])).toEqual([]);
    expect(positions(wal({ ...healthy, resurrectsTruncated: true }).open({ index: 6 })?.entries ?? [])).toEqual(['1/7', '1/8', '1/9']);
  });

  it('remembers vote and term, unless it has the defect R4', () => {
    for (const forgetsVote of [false, true]) {
      const { wal, sync } = setUp();
      const log = wal({ ...healthy, forgetsVote });
      log.create({ memberId: 5, clusterId: 6 });
      log.save({ term: 3, vote: 2, commit: 0 }, []);
      sync(log);
      expect(wal().open({ index: 0 })?.state.vote).toBe(forgetsVote ? 0 : 2);
    }
  });

  it('drops segments that a snapshot makes needless, but keeps the marks of the snapshots that are left', () => {
    const { wal, entries, sync, host } = setUp();
    const log = wal();
    log.create({ memberId: 5, clusterId: 6 });
    for (const end of [10, 20, 30]) {
      log.save(undefined, entries(1, end - 9, end));
      log.saveSnapshot({ index: end, term: 1, confState });
      sync(log);
    }
    log.release(20);
    expect(host.disk.list('wal/')).toHaveLength(2);
    const again = wal();
    expect(again.snapshots().map((mark) => mark.index)).toEqual([20, 30]);
    expect(positions(again.open({ index: 20 })?.entries ?? [])).toEqual(positions(entries(1, 21, 30)));
  });
});
