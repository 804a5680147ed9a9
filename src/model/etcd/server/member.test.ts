import { describe, expect, it } from 'vitest';
import { SECOND } from '../../../sim/time.ts';
import { testCluster } from '../cluster.fixture.ts';
import { isError } from '../errors.ts';
import type { WatchEvent } from '../api.ts';
import type { EtcdClient } from '../client.ts';
import type { Disk, DiskRecord } from '../../../sim/disk.ts';
import type { Process } from '../../../sim/process.ts';
import type { Task } from '../../../sim/task.ts';

/** Follows who leads, by the facts. */
function leaderOf(cluster: ReturnType<typeof testCluster>) {
  let leader = '';
  cluster.facts.raftLeader.subscribe((member) => {
    leader = member;
  });
  return () => cluster.world.host(leader);
}

describe('a cluster of etcd members', () => {
  it('goes on without its leader and loses nothing that it acknowledged', () => {
    const cluster = testCluster(3);
    const { world } = cluster;
    const leader = leaderOf(cluster);
    const acknowledged = new Map<string, number>();
    let checked = 0;
    cluster.task('writer', function* (process) {
      const client = cluster.client(process);
      for (let i = 0; i < 200; i++) {
        const result = yield* client.put({ key: `k${i}`, value: `v${i}` });
        if (!isError(result)) acknowledged.set(`k${i}`, result.header.revision);
        yield* process.sleep(50_000);
      }
      for (const [key, revision] of acknowledged) {
        const result = yield* client.range({ key });
        expect(isError(result) ? result.message : result.kvs[0]?.modRevision).toBe(revision);
        checked++;
      }
    });
    world.at(3 * SECOND, () => leader().crash());
    world.at(9 * SECOND, () => {
      for (const host of cluster.hosts) host.boot();
    });
    world.at(12 * SECOND, () => {
      const host = leader();
      host.process(host.name)?.kill('test');
    });
    world.at(13 * SECOND, () => {
      for (const host of cluster.hosts) host.start(host.name);
    });
    world.run(90 * SECOND);
    expect(acknowledged.size).toBeGreaterThan(190);
    expect(checked).toBe(acknowledged.size);
  });

  it('another value at the same instant is another digest', () => {
    const run = (value: string): { readonly events: number; readonly digest: string } => {
      const cluster = testCluster(3);
      cluster.task('writer', function* (process) {
        yield* process.sleep(5 * SECOND);
        yield* cluster.client(process).put({ key: 'key', value });
      });
      cluster.world.run(10 * SECOND);
      const { digest } = cluster.world;
      return { events: digest.events, digest: digest.value() };
    };
    const [first, again, other] = [run('a'), run('a'), run('b')];
    expect(again).toEqual(first);
    expect(other.events).toBe(first.events);
    expect(other.digest).not.toBe(first.digest);
  });

  it('loses nothing when all members lose power at once, whatever was synced', () => {
    for (const seed of ['a', 'b', 'c', 'd']) {
      const cluster = testCluster(3, { seed, config: { snapshotCount: 40, snapshotCatchUpEntries: 10 } });
      const { world } = cluster;
      const acknowledged: string[] = [];
      let lost: readonly string[] | undefined;
      cluster.task('writer', function* (process) {
        const client = cluster.client(process, { timeoutUs: 2 * SECOND });
        while (process.mono() < 20 * SECOND) {
          const key = `k${acknowledged.length}-${process.mono()}`;
          if (!isError(yield* client.put({ key, value: 'v' }))) acknowledged.push(key);
          yield* process.sleep(5_000);
        }
        const all = yield* client.range({ key: 'k', rangeEnd: 'l', keysOnly: true });
        const keys = isError(all) ? [] : all.kvs.map((kv) => kv.key);
        lost = acknowledged.filter((key) => !keys.includes(key));
      });
      for (const at of [3, 7, 12]) {
        world.at(at * SECOND, () => {
          for (const host of cluster.hosts) host.crash();
        });
        world.at((at + 1) * SECOND, () => {
          for (const host of cluster.hosts) host.boot();
        });
      }
      world.run(40 * SECOND);
      expect(lost).toEqual([]);
      expect(acknowledged.length).toBeGreaterThan(500);
    }
  });

  it('brings a member back that missed more than the log keeps, by a snapshot', () => {
    const cluster = testCluster(3, { config: { snapshotCount: 100, snapshotCatchUpEntries: 20 } });
    const { world, facts } = cluster;
    let installed = '';
    facts.raftSnapshot.subscribe((member) => {
      installed = member;
    });
    const events: WatchEvent[] = [];
    cluster.task('writer', function* (process) {
      const client = cluster.client(process);
      yield* process.sleep(3 * SECOND);
      for (let i = 0; i < 400; i++) yield* client.put({ key: `k${i % 50}`, value: `v${i}` });
    });
    cluster.task('watcher', function* (process) {
      const client = cluster.client(process, { first: 2, pinned: true });
      client.watch({ key: 'k', rangeEnd: 'l', startRevision: 1 }, { events: (more) => void events.push(...more), closed: () => undefined });
      yield* process.sleep(SECOND);
    });
    const away = cluster.hosts[2];
    const counter = { touched: 0 };
    const others = cluster.hosts.slice(0, 2);
    world.at(2 * SECOND, () => {
      for (const other of others)
        if (away !== undefined)
          for (const [a, b] of [
            [away, other],
            [other, away],
          ] as const)
            world.network.block(a, b, counter);
    });
    world.at(20 * SECOND, () => {
      for (const other of others)
        if (away !== undefined)
          for (const [a, b] of [
            [away, other],
            [other, away],
          ] as const)
            world.network.unblock(a, b, counter);
    });
    world.run(40 * SECOND);
    expect(installed).toBe('etcd-2');
    // The watch on the member that was away misses nothing (etcd#8411).
    expect(events.map((event) => event.kv.modRevision)).toEqual(Array.from({ length: 400 }, (_, i) => i + 2));
  });

  it('resumes a watch on another member, each event once and in order', () => {
    const cluster = testCluster(3);
    const { world } = cluster;
    const revisions: number[] = [];
    cluster.task('watcher', function* (process) {
      const client = cluster.client(process, { first: 1, keepAliveUs: SECOND });
      client.watch(
        { key: 'k', rangeEnd: 'l' },
        { events: (more) => void revisions.push(...more.map((e) => e.kv.modRevision)), closed: () => undefined },
      );
      yield* process.sleep(SECOND);
    });
    cluster.task('writer', function* (process) {
      const client = cluster.client(process, { first: 0 });
      yield* process.sleep(2 * SECOND);
      for (let i = 0; i < 100; i++) {
        yield* client.put({ key: 'k', value: String(i) });
        yield* process.sleep(100_000);
      }
    });
    world.at(5 * SECOND, () => cluster.hosts[1]?.crash());
    world.run(60 * SECOND);
    const first = revisions[0] ?? 0;
    expect(revisions).toEqual(Array.from({ length: revisions.length }, (_, i) => first + i));
    expect(revisions.length).toBeGreaterThanOrEqual(99);
  });

  it('expires a lease on the leader and keeps one alive that is renewed', () => {
    const cluster = testCluster(3);
    const { world } = cluster;
    let left: readonly string[] = [];
    let ended = '';
    cluster.task('holder', function* (process) {
      const client = cluster.client(process);
      yield* process.sleep(2 * SECOND);
      yield* client.leaseGrant(3, 1n);
      yield* client.leaseGrant(3, 2n);
      yield* client.put({ key: 'lost', value: '', lease: 1n });
      yield* client.put({ key: 'kept', value: '', lease: 2n });
      process.spawn('renew', client.keepAlive(2n, 3), (error) => {
        ended = error.code;
      });
      yield* process.sleep(20 * SECOND);
      const all = yield* client.range({ key: '\0', rangeEnd: '\0' });
      left = isError(all) ? [] : all.kvs.map((kv) => kv.key);
      yield* client.leaseRevoke(2n);
    });
    world.run(40 * SECOND);
    expect(left).toEqual(['kept']);
    expect(ended).toBe('leaseNotFound');
  });

  it('ends when its disk is full, and comes back', () => {
    const cluster = testCluster(1);
    const { world, hosts } = cluster;
    const host = hosts[0];
    let answered = 0;
    cluster.task('writer', function* (process) {
      const client = cluster.client(process, { timeoutUs: SECOND });
      yield* process.sleep(2 * SECOND);
      while (process.mono() < 20 * SECOND) {
        if (!isError(yield* client.put({ key: 'k', value: 'v' }))) answered++;
        yield* process.sleep(100_000);
      }
    });
    world.at(5 * SECOND, () => host?.disk.fill());
    world.run(7 * SECOND);
    expect(host?.process('etcd-0')).toBeUndefined();
    const before = answered;
    host?.disk.free();
    host?.start('etcd-0');
    world.run(25 * SECOND);
    expect(answered).toBeGreaterThan(before + 50);
  });

  it('is the same run for the same seed', () => {
    const digest = () => {
      const cluster = testCluster(3, { seed: 'same' });
      cluster.task('writer', function* (process) {
        const client = cluster.client(process);
        for (let i = 0; i < 50; i++) yield* client.put({ key: `k${i % 5}`, value: String(i) });
      });
      cluster.world.at(2 * SECOND, () => cluster.hosts[0]?.crash());
      cluster.world.at(4 * SECOND, () => cluster.hosts[0]?.boot());
      cluster.world.run(20 * SECOND);
      return cluster.world.digest.value();
    };
    expect(digest()).toBe(digest());
  });

  it('costs few events while nobody asks anything', () => {
    const cluster = testCluster(3);
    cluster.world.run(10 * SECOND);
    const before = cluster.world.digest.events;
    cluster.world.run(110 * SECOND);
    expect((cluster.world.digest.events - before) / 100).toBeLessThan(60);
  });
});

describe('defects of the store', () => {
  /** Crashes a member at many moments of a busy time and tells whether members come to differ. */
  function differs(defect: 'E1' | undefined): boolean {
    for (let seed = 0; seed < 40; seed++) {
      const cluster = testCluster(3, { seed: `e1-${seed}`, defects: new Set(defect === undefined ? [] : [defect]) });
      const { world, facts } = cluster;
      const hashes = new Map<number, number>();
      let found = false;
      facts.storeHash.subscribe((_, revision, hash) => {
        const known = hashes.get(revision);
        if (known === undefined) hashes.set(revision, hash);
        else if (known !== hash) found = true;
      });
      cluster.task('writer', function* (process) {
        const client = cluster.client(process, { timeoutUs: SECOND });
        while (process.mono() < 12 * SECOND) {
          yield* client.put({ key: `k${process.random.below(5)}`, value: String(process.mono()) });
          yield* process.sleep(2_000);
        }
      });
      for (let i = 0; i < 9; i++) {
        const host = cluster.hosts[i % 3];
        world.at((2 + i) * SECOND + 1000 * i, () => host?.crash());
        world.at((2 + i) * SECOND + 200_000, () => host?.boot());
      }
      world.run(15 * SECOND);
      if (found) return true;
    }
    return false;
  }

  it('E1 lets a crashed member lose an entry that it believes to have applied', () => {
    expect(differs('E1')).toBe(true);
    expect(differs(undefined)).toBe(false);
  });
});

describe('a member that lost its disk', () => {
  it('does not come back under its old name', () => {
    const cluster = testCluster(3);
    const { world, hosts } = cluster;
    const host = hosts[1];
    let cause = '';
    world.at(5 * SECOND, () => host?.crash());
    world.at(6 * SECOND, () => {
      host?.disk.wipe();
      host?.boot();
      const process = host?.process('etcd-1');
      if (process !== undefined) {
        process.onDeath = (_, why) => {
          cause = why;
        };
      }
    });
    world.run(20 * SECOND);
    expect(cause).toMatch(/has already been bootstrapped/);
  });
});

describe('a member that comes back with an old disk', () => {
  /** A copy of all files, as a backup of the volume is. */
  function* putBack(disk: Disk, process: Process, files: ReadonlyMap<string, readonly DiskRecord[]>): Task<void> {
    for (const name of disk.list('')) disk.remove(process, name);
    for (const [name, records] of files) {
      for (const { value, sizeBytes } of records) disk.append(process, name, value, sizeBytes);
      yield* disk.fsync(process, name);
    }
  }

  /** The disk of a follower is saved, put back after more was written, and the member started; `between` happens before that. */
  function run(between: (cluster: ReturnType<typeof testCluster>, leader: string) => void) {
    const cluster = testCluster(3);
    const { world, hosts } = cluster;
    let leader = '';
    cluster.facts.raftLeader.subscribe((member) => {
      leader = member;
    });
    let cause = '';
    let follower = hosts[0];
    const files = new Map<string, readonly DiskRecord[]>();
    cluster.task('writer', function* (process) {
      const client = cluster.client(process, { timeoutUs: SECOND });
      for (let i = 0; process.mono() < 20 * SECOND; i++) {
        yield* client.put({ key: `k${i % 9}`, value: String(i) });
        yield* process.sleep(SECOND / 20);
      }
    });
    world.at(4 * SECOND, () => {
      follower = hosts.find((host) => host.name !== leader);
      const disk = follower?.disk;
      for (const name of disk?.list('') ?? []) files.set(name, disk?.read(name) ?? []);
    });
    world.at(6 * SECOND, () => follower?.process(follower.name)?.kill('test'));
    world.at(6.5 * SECOND, () => between(cluster, leader));
    world.at(12 * SECOND, () => {
      const host = follower;
      if (host === undefined) return;
      host.install({
        name: 'restore',
        start: (process) => void process.spawn('restore', putBack(host.disk, process, files)),
      });
    });
    world.at(13 * SECOND, () => {
      follower?.start(follower.name);
      const process = follower?.process(follower.name);
      if (process === undefined) return;
      process.onDeath = (_, why) => {
        cause = why;
      };
    });
    let revisions: readonly number[] = [];
    cluster.task('reader', function* (process) {
      yield* process.sleep(25 * SECOND);
      const found: number[] = [];
      for (const host of hosts) {
        const endpoints = [world.network.endpoint(host.name, '2379')];
        const client = cluster.client(process, { endpoints, pinned: true, timeoutUs: SECOND });
        const answer = yield* client.range({ key: 'k0', serializable: true });
        if (!isError(answer)) found.push(answer.header.revision);
      }
      revisions = found;
    });
    world.run(40 * SECOND);
    return { cause, revisions };
  }

  it('ends: its leader knows that it had acknowledged more', () => {
    const { cause, revisions } = run(() => undefined);
    expect(cause).toMatch(/^exit 2: tocommit\(\d+\) is out of range .* corrupted, truncated, or lost\?/);
    expect(revisions).toHaveLength(2);
  });

  it('catches up with a leader that was elected since, and so knows nothing of it', () => {
    const { cause, revisions } = run(({ world }, leader) => {
      const host = world.host(leader);
      host.process(leader)?.kill('test');
      world.at(world.now + 200_000, () => host.start(leader));
    });
    expect(cause).toBe('');
    expect(new Set(revisions).size).toBe(1);
    expect(revisions).toHaveLength(3);
  });
});

describe('checkpoints of leases', () => {
  /** How long after its grant a lease of 20 s is gone that nobody renews, while leaders die at 14, 17 and 20 s. */
  function livedFor(leaseCheckpointIntervalUs: number): number {
    const cluster = testCluster(3, { config: { leaseCheckpointIntervalUs } });
    const { world } = cluster;
    let leader = '';
    cluster.facts.raftLeader.subscribe((member) => {
      leader = member;
    });
    let [grantedAt, goneAt] = [0, 0];
    cluster.facts.leaseRevoked.subscribe(() => {
      if (goneAt === 0) goneAt = world.now;
    });
    cluster.task('client', function* (process) {
      yield* process.sleep(3 * SECOND);
      yield* cluster.client(process).leaseGrant(20);
      grantedAt = world.now;
    });
    for (const at of [14, 17, 20]) {
      world.at(at * SECOND, () => {
        const host = world.host(leader);
        host.process(leader)?.kill('test');
        world.at(world.now + SECOND, () => host.start(host.name));
      });
    }
    world.run(80 * SECOND);
    return (goneAt - grantedAt) / SECOND;
  }

  it('let no leader begin a lease anew, whether it was restarted since or not (etcd#17132)', () => {
    const [without, withCheckpoints] = [livedFor(0), livedFor(2 * SECOND)];
    expect(without).toBeGreaterThan(36);
    expect(withCheckpoints).toBeGreaterThan(20);
    expect(withCheckpoints).toBeLessThan(32);
  });
});

describe('renewals of leases', () => {
  it('take a checkpoint back on all members, and find nothing where the lease was revoked meanwhile', () => {
    const cluster = testCluster(3, { config: { leaseCheckpointIntervalUs: SECOND } });
    const answers: number[] = [];
    const leader = leaderOf(cluster);
    cluster.task('client', function* (process) {
      yield* process.sleep(3 * SECOND);
      const client = cluster.client(process, { endpoints: [cluster.world.network.endpoint(leader().name, '2379')], pinned: true });
      const lease = yield* client.leaseGrant(20);
      if (isError(lease)) return;
      yield* process.sleep(6 * SECOND);
      const renewed = yield* client.leaseKeepAliveOnce(lease.id);
      answers.push(isError(renewed) ? -2 : renewed.ttl);
      yield* process.sleep(6 * SECOND);
      // The revocation is on its way through raft as the renewal asks for its checkpoint to be taken back.
      process.spawn('revoke', client.leaseRevoke(lease.id));
      yield* process.sleep(1);
      const late = yield* client.leaseKeepAliveOnce(lease.id);
      answers.push(isError(late) ? -2 : late.ttl);
    });
    cluster.world.run(30 * SECOND);
    expect(answers).toEqual([20, 0]);
  });

  it('wait where a leader has just been elected and has not applied what came before', () => {
    const cluster = testCluster(3);
    let [renewed, other] = [0, 0];
    cluster.task('operator', function* (process) {
      yield* process.sleep(3 * SECOND);
      const client = cluster.client(process);
      const lease = yield* client.leaseGrant(30);
      if (isError(lease)) return;
      for (const { name } of cluster.hosts) {
        const endpoints = [cluster.world.network.endpoint(name, '2379')];
        const pinned = cluster.client(process, { endpoints, pinned: true, timeoutUs: 5 * SECOND });
        process.spawn(`renew-${name}`, renew(process, pinned, lease.id));
      }
      for (let i = 0; i < 15; i++) {
        yield* process.sleep(SECOND);
        const status = yield* client.call({ type: 'status' });
        const list = yield* client.call({ type: 'memberList' });
        if (isError(status) || isError(list)) continue;
        const next = list.members.find((member) => member.id !== status.leader);
        for (const { name } of cluster.hosts) {
          const endpoints = [cluster.world.network.endpoint(name, '2379')];
          const pinned = cluster.client(process, { endpoints, pinned: true, timeoutUs: SECOND / 2 });
          yield* pinned.call({ type: 'moveLeader', targetId: next?.id ?? 0 });
        }
      }
    });
    function* renew(process: Process, client: EtcdClient, id: bigint): Task<void> {
      while (process.mono() < 20 * SECOND) {
        const answer = yield* client.leaseKeepAliveOnce(id);
        if (!isError(answer) && answer.ttl === 30) renewed++;
        else other++;
        yield* process.sleep(500);
      }
    }
    cluster.world.run(25 * SECOND);
    expect(renewed).toBeGreaterThan(10 * other);
    expect(renewed).toBeGreaterThan(1000);
  });
});
