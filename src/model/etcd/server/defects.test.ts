import { describe, expect, it } from 'vitest';
import type { Process } from '../../../sim/process.ts';
import type { Task } from '../../../sim/task.ts';
import { SECOND } from '../../../sim/time.ts';
import type { DefectId } from '../../defects.ts';
import type { RequestOp } from '../api.ts';
import type { EtcdClient } from '../client.ts';
import { type TestCluster, testCluster } from '../cluster.fixture.ts';
import { isError } from '../errors.ts';

/** Runs the same scenario with the defect and without it, and gives what it found out. */
function both<T>(defect: DefectId, scenario: (cluster: TestCluster, on: boolean) => T, config = {}): { readonly off: T; readonly on: T } {
  const run = (on: boolean) => scenario(testCluster(3, { seed: defect, defects: new Set(on ? [defect] : []), config }), on);
  return { off: run(false), on: run(true) };
}

function pinned(cluster: TestCluster, process: Process, member: string): EtcdClient {
  return cluster.client(process, { endpoints: [cluster.world.network.endpoint(member, '2379')], pinned: true, timeoutUs: 2 * SECOND });
}

/** The revisions at which the members stand, as each of them says. */
function* revisions(cluster: TestCluster, process: Process): Task<readonly number[]> {
  const found: number[] = [];
  for (const { name } of cluster.hosts) {
    const result = yield* pinned(cluster, process, name).range({ key: 'a', serializable: true });
    found.push(isError(result) ? -1 : result.header.revision);
  }
  return found;
}

function cut(cluster: TestCluster, name: string, heal: { touched: number }): void {
  const { network } = cluster.world;
  const host = cluster.world.host(name);
  for (const other of cluster.hosts) {
    if (other === host) continue;
    network.block(host, other, heal);
    network.block(other, host, heal);
  }
}

function mend(cluster: TestCluster, name: string, heal: { touched: number }): void {
  const host = cluster.world.host(name);
  for (const other of cluster.hosts) {
    cluster.world.network.unblock(host, other, heal);
    cluster.world.network.unblock(other, host, heal);
  }
}

const equal = (values: readonly number[]) => new Set(values).size === 1;

describe('switched-on defects of etcd', () => {
  it('E3: entries are applied twice after a defragmentation and a crash', () => {
    const { off, on } = both('E3', (cluster) => {
      let found: readonly number[] = [];
      cluster.task('client', function* (process) {
        const client = pinned(cluster, process, 'etcd-0');
        yield* process.sleep(3 * SECOND);
        for (let i = 0; i < 20; i++) yield* client.put({ key: 'a', value: String(i) });
        yield* client.call({ type: 'defragment' });
        cluster.hosts[0]?.crash();
        yield* process.sleep(SECOND);
        cluster.hosts[0]?.boot();
        yield* process.sleep(5 * SECOND);
        found = yield* revisions(cluster, process);
      });
      cluster.world.run(20 * SECOND);
      return equal(found);
    });
    expect([off, on]).toEqual([true, false]);
  });

  it('E4: a member that came back by a snapshot refuses what the others apply', () => {
    const config = { snapshotCount: 50, snapshotCatchUpEntries: 5 };
    const { off, on } = both(
      'E4',
      (cluster) => {
        let found: readonly number[] = [];
        const heal = { touched: 0 };
        cluster.task('client', function* (process) {
          const client = pinned(cluster, process, 'etcd-0');
          yield* process.sleep(3 * SECOND);
          for (const request of [
            { type: 'userAdd', name: 'root', password: 'r' },
            { type: 'userGrantRole', user: 'root', role: 'root' },
            { type: 'userAdd', name: 'alice', password: 'a' },
            { type: 'roleAdd', name: 'writer' },
            { type: 'roleGrantPermission', name: 'writer', perm: { permType: 'READWRITE', key: 'a', rangeEnd: '' } },
            { type: 'userGrantRole', user: 'alice', role: 'writer' },
            { type: 'authEnable' },
          ] as const) {
            expect(isError(yield* client.call(request))).toBe(false);
          }
          yield* client.authenticate('alice', 'a');
          cut(cluster, 'etcd-2', heal);
          yield* process.sleep(4 * SECOND);
          for (let i = 0; i < 300; i++) yield* client.put({ key: 'a', value: String(i) });
          mend(cluster, 'etcd-2', heal);
          yield* process.sleep(6 * SECOND);
          yield* client.put({ key: 'a', value: 'last' });
          yield* process.sleep(SECOND);
          const reader = pinned(cluster, process, 'etcd-2');
          const status = yield* client.call({ type: 'hashKv' });
          const other = yield* reader.call({ type: 'hashKv' });
          found = [isError(status) ? -1 : status.hashRevision, isError(other) ? -2 : other.hashRevision];
        });
        cluster.world.run(60 * SECOND);
        return equal(found);
      },
      config,
    );
    expect([off, on]).toEqual([true, false]);
  });

  it('E5: a read below the compaction refuses a transaction on one member only', () => {
    const { off, on } = both('E5', (cluster) => {
      let found: readonly number[] = [];
      cluster.task('client', function* (process) {
        const client = pinned(cluster, process, 'etcd-0');
        yield* process.sleep(3 * SECOND);
        for (let i = 0; i < 5; i++) yield* client.put({ key: 'a', value: String(i) });
        yield* client.compact({ revision: 4 });
        const success: readonly RequestOp[] = [
          { type: 'range', key: 'a', revision: 2 },
          { type: 'put', key: 'b', value: '1' },
        ];
        expect(yield* client.txn({ success })).toMatchObject({ code: 'compacted' });
        yield* process.sleep(SECOND);
        found = yield* revisions(cluster, process);
      });
      cluster.world.run(20 * SECOND);
      return equal(found);
    });
    expect([off, on]).toEqual([true, false]);
  });

  it('E8: a watch hears nothing of what a snapshot brought', () => {
    const { off, on } = both(
      'E8',
      (cluster) => {
        const heard: number[] = [];
        const heal = { touched: 0 };
        cluster.task('client', function* (process) {
          const client = pinned(cluster, process, 'etcd-0');
          yield* process.sleep(3 * SECOND);
          pinned(cluster, process, 'etcd-2').watch(
            { key: 'a', startRevision: 1 },
            { events: (events) => void heard.push(...events.map((event) => event.kv.modRevision)), closed: () => undefined },
          );
          yield* process.sleep(SECOND);
          cut(cluster, 'etcd-2', heal);
          yield* process.sleep(4 * SECOND);
          for (let i = 0; i < 300; i++) yield* client.put({ key: 'a', value: String(i) });
          mend(cluster, 'etcd-2', heal);
          yield* process.sleep(6 * SECOND);
        });
        cluster.world.run(60 * SECOND);
        return heard.length;
      },
      { snapshotCount: 50, snapshotCatchUpEntries: 5 },
    );
    expect([off, on]).toEqual([300, 0]);
  });

  it('E15: a leader that waited for its disk revokes a lease that others renew', () => {
    const { off, on } = both('E15', (cluster) => {
      let leader = '';
      cluster.facts.raftLeader.subscribe((member) => {
        leader = member;
      });
      let lost = false;
      cluster.task('client', function* (process) {
        yield* process.sleep(3 * SECOND);
        const lease = yield* cluster.client(process).leaseGrant(4);
        if (isError(lease)) return;
        const disk = cluster.world.host(leader).disk;
        const others = cluster.hosts.filter((host) => host.name !== leader);
        disk.stall();
        // Something that its loop then waits for.
        process.spawn('write', pinned(cluster, process, leader).put({ key: 'a', value: '1' }));
        const client = cluster.client(process, {
          endpoints: others.map((host) => cluster.world.network.endpoint(host.name, '2379')),
          timeoutUs: SECOND,
        });
        for (let i = 0; i < 20; i++) {
          if (i === 14) disk.unstall();
          const answer = yield* client.leaseKeepAliveOnce(lease.id);
          if (!isError(answer) && answer.ttl <= 0) lost = true;
          yield* process.sleep(SECOND / 2);
        }
      });
      cluster.world.run(30 * SECOND);
      return lost;
    });
    expect([off, on]).toEqual([false, true]);
  });

  it('E17: a member that begins with its backend lists a removed member again', () => {
    const { off, on } = both('E17', (cluster) => {
      let listed = -1;
      cluster.task('operator', function* (process) {
        yield* process.sleep(8 * SECOND);
        const client = pinned(cluster, process, 'etcd-0');
        const list = yield* client.call({ type: 'memberList' });
        const gone = isError(list) ? undefined : list.members.find((member) => member.name === 'etcd-2');
        yield* client.call({ type: 'memberRemove', id: gone?.id ?? 0 });
        yield* process.sleep(2 * SECOND);
        cluster.hosts[1]?.process('etcd-1')?.kill('test');
        yield* process.sleep(SECOND);
        cluster.hosts[1]?.start('etcd-1');
        yield* process.sleep(5 * SECOND);
        const after = yield* pinned(cluster, process, 'etcd-1').call({ type: 'memberList' });
        listed = isError(after) ? -1 : after.members.length;
      });
      cluster.world.run(30 * SECOND);
      return listed;
    });
    expect([off, on]).toEqual([2, 3]);
  });

  it('E18: members that never started count, and the cluster stops', () => {
    const { off, on } = both('E18', (cluster) => {
      let answered = false;
      cluster.task('operator', function* (process) {
        const client = cluster.client(process);
        yield* process.sleep(8 * SECOND);
        for (const name of ['x', 'y', 'z', 'w']) {
          yield* client.call({ type: 'memberAdd', peerURLs: [`http://${name}:2380`] });
          yield* process.sleep(SECOND);
        }
        answered = !isError(yield* client.put({ key: 'a', value: '1' }));
      });
      cluster.world.run(60 * SECOND);
      return answered;
    });
    expect([off, on]).toEqual([true, false]);
  });

  it('R12: a leader that was cut off goes on answering linearizable reads from its own state', () => {
    const { off, on } = both('R12', (cluster) => {
      let leader = '';
      cluster.facts.raftLeader.subscribe((member) => {
        leader = member;
      });
      let newest = 0;
      let stale = 0;
      cluster.world.at(3 * SECOND, () => cut(cluster, leader, { touched: 0 }));
      for (const { name } of cluster.hosts) {
        cluster.task(`writer-${name}`, function* (process) {
          const client = cluster.client(process, {
            endpoints: [cluster.world.network.endpoint(name, '2379')],
            pinned: true,
            timeoutUs: SECOND / 10,
          });
          while (process.mono() < 8 * SECOND) {
            const result = yield* client.put({ key: 'a', value: name });
            if (!isError(result)) newest = Math.max(newest, result.header.revision);
            yield* process.sleep(20_000);
          }
        });
        cluster.task(`reader-${name}`, function* (process) {
          const client = pinned(cluster, process, name);
          while (process.mono() < 8 * SECOND) {
            const known = newest;
            const result = yield* client.range({ key: 'a' });
            if (!isError(result) && result.header.revision < known) stale++;
            yield* process.sleep(10_000);
          }
        });
      }
      cluster.world.run(12 * SECOND);
      return stale > 0;
    });
    expect([off, on]).toEqual([false, true]);
  });

  it('R18: what was acknowledged from the page cache is gone with the power', () => {
    const { off, on } = both('R18', (cluster) => {
      let acknowledged = 0;
      let found = -1;
      cluster.task('client', function* (process) {
        const client = cluster.client(process, { timeoutUs: 2 * SECOND });
        yield* process.sleep(3 * SECOND);
        for (let i = 0; i < 50; i++) {
          const result = yield* client.put({ key: 'a', value: String(i) });
          if (!isError(result)) acknowledged = result.header.revision;
        }
        for (const host of cluster.hosts) host.crash();
        yield* process.sleep(SECOND);
        for (const host of cluster.hosts) host.boot();
        yield* process.sleep(10 * SECOND);
        const result = yield* client.range({ key: 'a' });
        found = isError(result) ? -1 : result.header.revision;
      });
      cluster.world.run(40 * SECOND);
      return found === acknowledged;
    });
    expect([off, on]).toEqual([true, false]);
  });
});
