import { describe, expect, it } from 'vitest';
import { SECOND } from '../../sim/time.ts';
import { isError } from './errors.ts';
import { LEASE_TTL_SECONDS_MAX, Lessor } from './lessor.ts';

describe('Lessor', () => {
  it('raises a short TTL to the minimum and refuses one that is too long, a known id and none', () => {
    const lessor = new Lessor(2);
    expect(lessor.grant(1n, -5, 0)).toMatchObject({ ttl: 2 });
    for (const refused of [lessor.grant(1n, 5, 0), lessor.grant(0n, 5, 0), lessor.grant(2n, LEASE_TTL_SECONDS_MAX + 1, 0)]) {
      expect(isError(refused)).toBe(true);
    }
  });

  it('lets time run only on the primary; a new one starts every lease anew (etcd#13294)', () => {
    const lessor = new Lessor(2);
    lessor.grant(7n, 10, 0);
    expect(lessor.nextCheckAt()).toBe(Number.POSITIVE_INFINITY);
    lessor.promote(SECOND, 5 * SECOND);
    expect(lessor.nextCheckAt()).toBe(16 * SECOND);
    lessor.demote();
    expect(lessor.takeExpired(99 * SECOND, 10)).toEqual([]);
    lessor.promote(0, 50 * SECOND);
    expect(lessor.takeExpired(59 * SECOND, 10)).toEqual([]);
    expect(lessor.takeExpired(60 * SECOND, 10)).toEqual([7n]);
  });

  it('reports an expired lease again after three seconds, oldest first and no more than asked', () => {
    const lessor = new Lessor(2);
    lessor.promote(0, 0);
    lessor.grant(1n, 4, 0);
    lessor.grant(2n, 3, 0);
    lessor.grant(3n, 5, 0);
    expect(lessor.takeExpired(10 * SECOND, 2)).toEqual([2n, 1n]);
    expect(lessor.takeExpired(11 * SECOND, 2)).toEqual([3n]);
    expect(lessor.takeExpired(13 * SECOND, 9)).toEqual([2n, 1n]);
  });

  it('renews what lives, not what has expired', () => {
    const lessor = new Lessor(2);
    lessor.promote(0, 0);
    lessor.grant(1n, 4, 0);
    expect(lessor.renew(1n, 3 * SECOND)).toBe(4);
    expect(lessor.renew(1n, 6 * SECOND)).toBe(4);
    expect(isError(lessor.renew(1n, 10 * SECOND))).toBe(true);
    lessor.demote();
    expect(lessor.renew(1n, 0)).toMatchObject({ code: 'leaseNotPrimary' });
  });

  it('gives the keys of a revoked lease in byte order', () => {
    const lessor = new Lessor(2);
    lessor.grant(1n, 4, 0);
    for (const key of ['c', 'a', 'b']) lessor.attach(1n, key);
    lessor.detach(1n, 'b');
    expect(lessor.revoke(1n)).toEqual(['a', 'c']);
    expect(lessor.has(1n)).toBe(false);
  });

  it('spreads a heap of leases over time when it becomes the primary', () => {
    const lessor = new Lessor(2);
    for (let i = 1n; i <= 3000n; i++) lessor.grant(i, 10, 0);
    lessor.promote(0, 0);
    expect(lessor.takeExpired(10 * SECOND, 9999).length).toBeLessThan(1000);
    expect(lessor.takeExpired(20 * SECOND, 9999).length).toBeGreaterThan(2000);
  });

  it('comes back with what was granted, all asleep', () => {
    const lessor = new Lessor(2);
    lessor.promote(0, 0);
    lessor.grant(1n, 4, 0);
    lessor.checkpoint(1n, 2, 0);
    const restored = new Lessor(2, lessor.rows());
    expect(restored.view(1n, 99 * SECOND)).toMatchObject({ ttl: 4, expired: false });
    restored.promote(0, 0);
    expect(restored.nextCheckAt()).toBe(2 * SECOND);
  });

  it('notes down what is left of long leases, once an interval, and a new primary goes by that', () => {
    const interval = 10 * SECOND;
    const lessor = new Lessor(2, [], interval);
    lessor.promote(0, 0);
    lessor.grant(1n, 30, 0);
    lessor.grant(2n, 10, 0); // not longer than the interval
    expect(lessor.nextCheckAt()).toBe(interval);
    expect(lessor.takeDueCheckpoints(9 * SECOND)).toEqual([]);
    expect(lessor.takeDueCheckpoints(interval)).toEqual([{ id: 1n, ttl: 30, remainingTtl: 20 }]);
    expect(lessor.takeDueCheckpoints(interval)).toEqual([]);
    lessor.checkpoint(1n, 20, interval);
    const next = new Lessor(2, lessor.rows(), interval);
    next.promote(0, 11 * SECOND);
    expect(next.view(1n, 11 * SECOND)).toMatchObject({ ttl: 30, remainingSeconds: 20 });
    expect([next.hasCheckpoint(1n, 11 * SECOND), next.hasCheckpoint(2n, 11 * SECOND)]).toEqual([true, false]);
    next.checkpoint(1n, 0, 11 * SECOND);
    expect(next.renew(1n, 12 * SECOND)).toBe(30);
    expect(next.view(1n, 12 * SECOND)).toMatchObject({ remainingSeconds: 30 });
  });
});
