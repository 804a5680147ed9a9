import { describe, expect, it } from 'vitest';
import { SECOND } from '../../../sim/time.ts';
import { testCluster } from '../cluster.fixture.ts';
import { isError } from '../errors.ts';
import { EtcdElection } from './election.ts';
import { EtcdLock } from './lock.ts';

describe('EtcdLock', () => {
  it('lets one in at a time, in the order of asking, with growing tokens', () => {
    const cluster = testCluster(3);
    let inside = 0;
    let most = 0;
    const tokens: number[] = [];
    for (let i = 0; i < 4; i++) {
      cluster.task(`worker-${i}`, function* (process) {
        const client = cluster.client(process);
        yield* process.sleep(2 * SECOND);
        const id = BigInt(i + 1);
        yield* client.leaseGrant(10, id);
        process.spawn('renew', client.keepAlive(id, 10));
        const lock = new EtcdLock(process, client, 'lock', id);
        for (let round = 0; round < 5; round++) {
          const token = yield* lock.lock();
          if (isError(token)) throw token;
          tokens.push(token);
          most = Math.max(most, ++inside);
          yield* process.sleep(50_000);
          inside--;
          yield* lock.unlock();
        }
      });
    }
    cluster.world.run(30 * SECOND);
    expect(most).toBe(1);
    expect(tokens).toHaveLength(20);
    expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
  });

  it('is not given to a waiter whose lease has expired meanwhile (etcd#11456)', () => {
    const granted = (trustsLease: boolean) => {
      const cluster = testCluster(3);
      let late: unknown;
      cluster.task('holder', function* (process) {
        const client = cluster.client(process);
        yield* process.sleep(2 * SECOND);
        yield* client.leaseGrant(60, 1n);
        const lock = new EtcdLock(process, client, 'lock', 1n);
        yield* lock.lock();
        yield* process.sleep(10 * SECOND);
        yield* lock.unlock();
      });
      cluster.task('waiter', function* (process) {
        const client = cluster.client(process);
        yield* process.sleep(3 * SECOND);
        // Nobody renews this lease.
        yield* client.leaseGrant(3, 2n);
        late = yield* new EtcdLock(process, client, 'lock', 2n, { trustsLease }).lock();
      });
      cluster.world.run(30 * SECOND);
      return typeof late === 'number';
    };
    expect(granted(false)).toBe(false);
    expect(granted(true)).toBe(true);
  });
});

describe('EtcdElection', () => {
  it('has one leader, and the next when the first resigns or its lease ends', () => {
    const cluster = testCluster(3);
    const seen: (string | undefined)[] = [];
    const candidate = (name: string, id: bigint, ttl: number, resigns: boolean) =>
      cluster.task(name, function* (process) {
        const client = cluster.client(process);
        yield* process.sleep(2 * SECOND + Number(id) * 100_000);
        yield* client.leaseGrant(ttl, id);
        const election = new EtcdElection(process, client, 'election', id);
        const won = yield* election.campaign(name);
        if (isError(won)) return;
        yield* election.proclaim(`${name} leads`);
        yield* process.sleep(2 * SECOND);
        if (resigns) yield* election.resign();
      });
    candidate('a', 1n, 60, true);
    candidate('b', 2n, 6, false);
    candidate('c', 3n, 60, false);
    cluster.task('observer', function* (process) {
      const client = cluster.client(process);
      const election = new EtcdElection(process, client, 'election', 0n);
      yield* process.sleep(SECOND);
      while (process.mono() < 20 * SECOND) {
        const leader = yield* election.leader();
        if (!isError(leader) && seen[seen.length - 1] !== leader) seen.push(leader);
        yield* process.sleep(20_000);
      }
    });
    cluster.world.run(25 * SECOND);
    expect(seen.filter((text) => text?.endsWith('leads'))).toEqual(['a leads', 'b leads', 'c leads']);
  });
});
