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
  /** When to note for other members how much of it is left; Infinity for not at all. */
  checkpointAt: Micros;
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
  readonly #checkpointIntervalUs: Micros;
  #primary = false;
  #rows: readonly LeaseRow[] | undefined;

  /** `checkpointIntervalUs`: leases that live longer are noted down so often; Infinity: no checkpoints, as etcd's default is. */
  constructor(minTtlSeconds: number, rows: readonly LeaseRow[] = [], checkpointIntervalUs = Number.POSITIVE_INFINITY) {
    this.#minTtlSeconds = minTtlSeconds;
    this.#checkpointIntervalUs = checkpointIntervalUs;
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
    if (this.#primary) {
      refresh(lease, now, 0);
      this.#scheduleCheckpoint(lease, now);
    }
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
    refresh(lease, now, 0);
    return lease.row.ttl;
  }

  /** Whether a renewal has to take back a checkpoint first, through raft: the other members know of it too. */
  hasCheckpoint(id: LeaseId, now: Micros): boolean {
    const lease = this.#leases.get(id);
    return this.#primary && lease !== undefined && lease.expiresAt > now && lease.row.remainingTtl > 0;
  }

  /** Notes how much time the primary says is left, for the next primary; 0 takes that back. */
  checkpoint(id: LeaseId, remainingTtl: number, now: Micros): void {
    const lease = this.#leases.get(id);
    if (lease === undefined) return;
    this.#setRow(lease, { ...lease.row, remainingTtl });
    if (this.#primary) this.#scheduleCheckpoint(lease, now);
  }

  /** What is to be noted down now, for each lease once until the note is applied (findDueScheduledCheckpoints). */
  takeDueCheckpoints(now: Micros): readonly LeaseRow[] {
    if (!this.#primary || this.#checkpointIntervalUs === Number.POSITIVE_INFINITY) return [];
    const due = [...this.#leases.values()].filter((lease) => lease.checkpointAt <= now).sort(byExpiry);
    const rows: LeaseRow[] = [];
    for (const lease of due) {
      lease.checkpointAt = Number.POSITIVE_INFINITY;
      const remainingTtl = Math.ceil((lease.expiresAt - now) / SECOND);
      if (remainingTtl > 0 && remainingTtl < lease.row.ttl) rows.push({ ...lease.row, remainingTtl });
    }
    return rows;
  }

  #scheduleCheckpoint(lease: Lease, now: Micros): void {
    if (secondsOf(lease.row) * SECOND > this.#checkpointIntervalUs) lease.checkpointAt = now + this.#checkpointIntervalUs;
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
    for (const lease of leases) {
      refresh(lease, now, extend);
      this.#scheduleCheckpoint(lease, now);
    }
    if (leases.length >= LEASE_REVOKE_RATE) spread(leases.sort(byExpiry), now, extend);
  }

  /** This member leads no more: nothing expires here. */
  demote(): void {
    this.#primary = false;
    for (const lease of this.#leases.values()) {
      lease.expiresAt = Number.POSITIVE_INFINITY;
      lease.checkAt = Number.POSITIVE_INFINITY;
      lease.checkpointAt = Number.POSITIVE_INFINITY;
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

  /** When the next lease is to be reported as expired or noted down; Infinity for never. */
  nextCheckAt(): Micros {
    let next = Number.POSITIVE_INFINITY;
    for (const { checkAt, checkpointAt } of this.#leases.values()) {
      if (checkAt < next) next = checkAt;
      if (checkpointAt < next) next = checkpointAt;
    }
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
    const never = Number.POSITIVE_INFINITY;
    return { row, expiresAt: never, checkAt: never, checkpointAt: never, keys: new Set() };
  }
}

function refresh(lease: Lease, now: Micros, extend: Micros): void {
  lease.expiresAt = now + extend + secondsOf(lease.row) * SECOND;
  lease.checkAt = lease.expiresAt;
}

/** Lease.getRemainingTTL. */
function secondsOf({ ttl, remainingTtl }: LeaseRow): number {
  return remainingTtl > 0 ? remainingTtl : ttl;
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
