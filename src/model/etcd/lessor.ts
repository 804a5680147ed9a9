import { type Micros, SECOND } from '../../sim/time.ts';
import type { LeaseId } from './api.ts';
import { etcdError, type Result } from './errors.ts';
import { compareKeys } from './keys.ts';
import type { LeaseAttachments } from './mvcc/lease-attachments.ts';

/** Longest TTL that may be asked for, in seconds (lease.MaxLeaseTTL). */
export const LEASE_TTL_SECONDS_MAX = 9_000_000_000;
/** Leases revoked per second at most (defaultLeaseRevokeRate); the lessor looks every half second. */
export const LEASE_REVOKE_RATE = 1000;
/** How often the primary lessor looks for expired leases. */
export const LEASE_CHECK_INTERVAL_US: Micros = 500_000;
/** An expired lease that is still there is reported again after this. */
const EXPIRED_RETRY_US: Micros = 3 * SECOND;

/** What the backend keeps of a lease. */
export interface LeaseRow {
  readonly id: LeaseId;
  /** Granted seconds. */
  readonly ttl: number;
  /** Seconds left at the last checkpoint; 0 without one. */
  readonly remainingTtl: number;
}

interface Lease {
  row: LeaseRow;
  /** Infinity while this member is not the primary. */
  expiresAt: Micros;
  /** When to report it as expired, again if need be. */
  checkAt: Micros;
  readonly keys: Set<string>;
}

/** Answer of a lookup. */
export interface LeaseView {
  readonly id: LeaseId;
  readonly ttl: number;
  /** Whole seconds left, as the primary sees them. */
  readonly remainingSeconds: number;
  readonly expired: boolean;
}

/**
 * etcd's lessor (server/lease): leases and the keys on them. Grants, revokes and attachments are applied on every member; only the
 * primary, the raft leader's, lets time run. A new primary starts every lease anew, so leader changes prolong them (etcd#13294).
 */
export class Lessor implements LeaseAttachments {
  readonly #leases = new Map<LeaseId, Lease>();
  readonly #minTtlSeconds: number;
  #primary = false;
  #rows: readonly LeaseRow[] | undefined;

  constructor(minTtlSeconds: number, rows: readonly LeaseRow[] = []) {
    this.#minTtlSeconds = minTtlSeconds;
    for (const row of rows) this.#leases.set(row.id, this.#asleep(row));
  }

  get isPrimary(): boolean {
    return this.#primary;
  }

  grant(id: LeaseId, ttlSeconds: number, now: Micros): Result<LeaseRow> {
    if (id === 0n) return etcdError('leaseNotFound');
    if (ttlSeconds > LEASE_TTL_SECONDS_MAX) return etcdError('leaseTtlTooLarge');
    if (this.#leases.has(id)) return etcdError('leaseExists');
    const row: LeaseRow = { id, ttl: Math.max(ttlSeconds, this.#minTtlSeconds), remainingTtl: 0 };
    const lease = this.#asleep(row);
    this.#leases.set(id, lease);
    this.#rows = undefined;
    if (this.#primary) refresh(lease, now, 0);
    return row;
  }

  /** Removes a lease; its keys, in byte order, are for the caller to delete. */
  revoke(id: LeaseId): Result<readonly string[]> {
    const lease = this.#leases.get(id);
    if (lease === undefined) return etcdError('leaseNotFound');
    this.#leases.delete(id);
    this.#rows = undefined;
    return [...lease.keys].sort(compareKeys);
  }

  /** Starts a lease's time anew; the seconds that it has now. An expired lease waits for its revocation and then is not found. */
  renew(id: LeaseId, now: Micros): Result<number> {
    if (!this.#primary) return etcdError('leaseNotPrimary');
    const lease = this.#leases.get(id);
    if (lease === undefined || lease.expiresAt <= now) return etcdError('leaseNotFound');
    if (lease.row.remainingTtl > 0) this.#setRow(lease, { ...lease.row, remainingTtl: 0 });
    refresh(lease, now, 0);
    return lease.row.ttl;
  }

  /** Notes how much time the primary says is left, for the next primary. */
  checkpoint(id: LeaseId, remainingTtl: number): void {
    const lease = this.#leases.get(id);
    if (lease !== undefined) this.#setRow(lease, { ...lease.row, remainingTtl });
  }

  has(id: LeaseId): boolean {
    return this.#leases.has(id);
  }

  view(id: LeaseId, now: Micros): LeaseView | undefined {
    const lease = this.#leases.get(id);
    if (lease === undefined) return undefined;
    const left = lease.expiresAt - now;
    return {
      id,
      ttl: lease.row.ttl,
      remainingSeconds: left === Number.POSITIVE_INFINITY ? lease.row.ttl : Math.floor(left / SECOND),
      expired: left <= 0,
    };
  }

  /** The keys on a lease, in byte order. */
  keysOf(id: LeaseId): readonly string[] {
    return [...(this.#leases.get(id)?.keys ?? [])].sort(compareKeys);
  }

  /** All leases, the next to expire first. */
  leases(): readonly LeaseId[] {
    return [...this.#leases.values()].sort(byExpiry).map((lease) => lease.row.id);
  }

  attach(id: LeaseId, key: string): void {
    this.#leases.get(id)?.keys.add(key);
  }

  detach(id: LeaseId, key: string): void {
    this.#leases.get(id)?.keys.delete(key);
  }

  /** This member leads now: every lease gets its whole TTL and the given extension; large heaps are spread over time. */
  promote(extend: Micros, now: Micros): void {
    this.#primary = true;
    const leases = [...this.#leases.values()];
    for (const lease of leases) refresh(lease, now, extend);
    if (leases.length >= LEASE_REVOKE_RATE) spread(leases.sort(byExpiry), now, extend);
  }

  /** This member leads no more: nothing expires here. */
  demote(): void {
    this.#primary = false;
    for (const lease of this.#leases.values()) {
      lease.expiresAt = Number.POSITIVE_INFINITY;
      lease.checkAt = Number.POSITIVE_INFINITY;
    }
  }

  /** Leases to revoke now, oldest first, at most `limit`; each is reported again three seconds later if it is still there. */
  takeExpired(now: Micros, limit: number): readonly LeaseId[] {
    if (!this.#primary) return [];
    const due = [...this.#leases.values()]
      .filter((lease) => lease.checkAt <= now)
      .sort(byExpiry)
      .slice(0, limit);
    for (const lease of due) lease.checkAt = now + EXPIRED_RETRY_US;
    return due.map((lease) => lease.row.id);
  }

  /** When the next lease is to be reported as expired; Infinity for never. */
  nextCheckAt(): Micros {
    let next = Number.POSITIVE_INFINITY;
    for (const lease of this.#leases.values()) if (lease.checkAt < next) next = lease.checkAt;
    return next;
  }

  /** What the backend keeps, in order of id. */
  rows(): readonly LeaseRow[] {
    this.#rows ??= [...this.#leases.values()].map((lease) => lease.row).sort((a, b) => (a.id < b.id ? -1 : 1));
    return this.#rows;
  }

  #setRow(lease: Lease, row: LeaseRow): void {
    lease.row = row;
    this.#rows = undefined;
  }

  #asleep(row: LeaseRow): Lease {
    return { row, expiresAt: Number.POSITIVE_INFINITY, checkAt: Number.POSITIVE_INFINITY, keys: new Set() };
  }
}

function refresh(lease: Lease, now: Micros, extend: Micros): void {
  const seconds = lease.row.remainingTtl > 0 ? lease.row.remainingTtl : lease.row.ttl;
  lease.expiresAt = now + extend + seconds * SECOND;
  lease.checkAt = lease.expiresAt;
}

function byExpiry(a: Lease, b: Lease): number {
  if (a.expiresAt !== b.expiresAt) return a.expiresAt < b.expiresAt ? -1 : 1;
  return a.row.id < b.row.id ? -1 : 1;
}

/** lessor.Promote: no more than three quarters of the revoke rate may expire in one second. */
function spread(leases: readonly Lease[], now: Micros, extend: Micros): void {
  const perSecond = Math.floor((3 * LEASE_REVOKE_RATE) / 4);
  let base = (leases[0]?.expiresAt ?? now) - now;
  let window = base + SECOND;
  let expires = 0;
  for (const lease of leases) {
    const remaining = lease.expiresAt - now;
    if (remaining > window) {
      base = remaining;
      window = base + SECOND;
      expires = 1;
      continue;
    }
    expires++;
    if (expires <= perSecond) continue;
    const delay = Math.floor((SECOND * expires) / perSecond) - (remaining - base);
    window = base + delay;
    refresh(lease, now, delay + extend);
  }
}
