import { describe, expect, it } from 'vitest';
import type { Process } from '../../../sim/process.ts';
import type { Task } from '../../../sim/task.ts';
import { SECOND } from '../../../sim/time.ts';
import type { AlarmMember } from '../api.ts';
import type { EtcdClient } from '../client.ts';
import { type TestCluster, testCluster } from '../cluster.fixture.ts';
import { isError } from '../errors.ts';
import type { EtcdConfig } from './config.ts';

function pinned(cluster: TestCluster, process: Process, member: string): EtcdClient {
  return cluster.client(process, { endpoints: [cluster.world.network.endpoint(member, '2379')], pinned: true, timeoutUs: 2 * SECOND });
}

/** With defect E5 the member that is asked refuses what the others apply: each member gets a history of its own. */
function* setApart(cluster: TestCluster, process: Process, members: readonly string[]): Task<void> {
  const [first] = members;
  const client = pinned(cluster, process, first ?? '');
  for (let i = 0; i < 5; i++) yield* client.put({ key: 'a', value: String(i) });
  yield* client.compact({ revision: 4 });
  for (const member of members) {
    yield* pinned(cluster, process, member).txn({
      success: [
        { type: 'range', key: 'a', revision: 2 },
        { type: 'put', key: 'b', value: member },
      ],
    });
    yield* process.sleep(SECOND);
  }
}

function* alarmsOf(client: EtcdClient): Task<readonly AlarmMember[]> {
  const answer = yield* client.call({ type: 'alarm' });
  return isError(answer) ? [] : answer.alarms;
}

/** Members set apart, then left alone for ten seconds: the alarms, and what a put is answered. */
function found(config: Partial<EtcdConfig>, apart: readonly string[], isBroken: boolean): { alarms: readonly AlarmMember[]; put: string } {
  const cluster = testCluster(3, { defects: new Set(isBroken ? (['E5'] as const) : []), config });
  let alarms: readonly AlarmMember[] = [];
  let put = '';
  cluster.task('client', function* (process) {
    yield* process.sleep(3 * SECOND);
    yield* setApart(cluster, process, apart);
    const client = pinned(cluster, process, 'etcd-0');
    for (let i = 0; i < 3; i++) yield* client.put({ key: 'd', value: String(i) });
    yield* client.compact({ revision: 8 });
    yield* process.sleep(10 * SECOND);
    alarms = yield* alarmsOf(client);
    const answer = yield* client.put({ key: 'c', value: '1' });
    put = isError(answer) ? answer.code : 'ok';
  });
  cluster.world.run(40 * SECOND);
  return { alarms, put };
}

describe('the corruption check', () => {
  it('raises an alarm where members hold different data at one revision, and nothing can be changed from then on', () => {
    const result = found({ corruptCheckUs: 2 * SECOND }, ['etcd-0', 'etcd-1', 'etcd-2'], true);
    expect(result.alarms).toMatchObject([{ alarm: 'CORRUPT' }]);
    expect(result.put).toBe('corrupt');
  });

  it('names the member that differs from the majority, by what compactions remembered', () => {
    const cluster = testCluster(3);
    let lone = -1;
    cluster.task('client', function* (process) {
      yield* process.sleep(3 * SECOND);
      const status = yield* pinned(cluster, process, 'etcd-1').call({ type: 'status' });
      lone = isError(status) ? -1 : status.header.memberId;
    });
    cluster.world.run(5 * SECOND);
    const result = found({ compactHashCheckUs: 2 * SECOND }, ['etcd-1'], true);
    expect(result.alarms).toEqual([{ memberId: lone, alarm: 'CORRUPT' }]);
    expect(result.put).toBe('corrupt');
  });

  it('finds nothing where members only lag, restart and compact', () => {
    const config = { corruptCheckUs: SECOND / 2, compactHashCheckUs: SECOND, initialCorruptCheck: true, compactionBatchLimit: 3 };
    const cluster = testCluster(3, { config });
    let alarms: readonly AlarmMember[] | undefined;
    let hashes = 0;
    cluster.facts.historyHash.subscribe(() => hashes++);
    cluster.task('writer', function* (process) {
      const client = cluster.client(process, { timeoutUs: SECOND });
      for (let i = 0; process.mono() < 30 * SECOND; i++) {
        yield* i % 7 === 6 ? client.deleteRange({ key: `k${i % 5}` }) : client.put({ key: `k${i % 5}`, value: String(i) });
        if (i % 50 === 49) {
          const now = yield* client.range({ key: 'k0' });
          if (!isError(now)) yield* client.compact({ revision: now.header.revision - (i % 4) });
        }
        yield* process.sleep(10_000);
      }
      alarms = yield* alarmsOf(client);
    });
    cluster.hosts.forEach((host, i) => {
      for (const at of [6 + 3 * i, 17 + 3 * i]) {
        cluster.world.at(at * SECOND, () => host.crash());
        cluster.world.at((at + 1.5) * SECOND, () => host.boot());
      }
    });
    cluster.world.run(60 * SECOND);
    expect(alarms).toEqual([]);
    expect(hashes).toBeGreaterThan(100);
    expect(cluster.hosts.map((host) => host.process(host.name) !== undefined)).toEqual([true, true, true]);
  });

  it.each([true, false])('a member that has other data than its peers does not come back (defect on: %s)', (isBroken) => {
    const cluster = testCluster(3, { defects: new Set(isBroken ? (['E5'] as const) : []), config: { initialCorruptCheck: true } });
    cluster.task('client', function* (process) {
      yield* process.sleep(3 * SECOND);
      yield* setApart(cluster, process, ['etcd-2', 'etcd-1', 'etcd-0']);
      cluster.hosts[2]?.crash();
      yield* process.sleep(SECOND);
      cluster.hosts[2]?.boot();
    });
    cluster.world.run(30 * SECOND);
    expect(cluster.hosts[2]?.process('etcd-2') === undefined).toBe(isBroken);
  });
});
