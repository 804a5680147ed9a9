import type { Lease } from '../api/types.ts';
import { formatMicroTime } from '../api/time.ts';
import type { Facts } from '../facts.ts';
import { timeout } from '../../sim/sync.ts';
import type { Task } from '../../sim/task.ts';
import { SECOND, type Micros } from '../../sim/time.ts';
import { LEASES } from './resources.ts';
import { type ApiResult, isNotFound } from './result.ts';
import type { Client } from './typed-client.ts';

export interface LeaderElectionConfig {
  readonly namespace: string;
  /** Name of the Lease. */
  readonly name: string;
  /** Who we are: `<host name>_<uuid>`. */
  readonly identity: string;
  readonly leaseDurationUs?: Micros;
  readonly renewDeadlineUs?: Micros;
  readonly retryPeriodUs?: Micros;
  /** Give the lease up in an orderly exit (the scheduler does, the controller manager does not). */
  readonly releaseOnCancel?: boolean;
  readonly facts: Facts;
  /** Defect K6: a leader whose renewals fail is never told to stop. */
  readonly ignoresLoss?: boolean;
  readonly onStartedLeading: () => void;
  /** The lease is lost: real programs exit here. */
  readonly onStoppedLeading: () => void;
  readonly onNewLeader?: (identity: string) => void;
}

const LEASE_DURATION: Micros = 15 * SECOND;
const RENEW_DEADLINE: Micros = 10 * SECOND;
const RETRY_PERIOD: Micros = 2 * SECOND;
/** Upstream JitterFactor 1.2: candidates wait 2 to 4.4 s between tries. */
const JITTER_PERCENT = 120;

/**
 * Leader election under a Lease: client-go tools/leaderelection. What others wrote is judged by when *we* saw it change, on our own
 * clock, so wall clocks need not agree; drift of the clocks' rates is what it cannot stand.
 */
export class LeaderElector {
  readonly #client: Client;
  readonly #config: LeaderElectionConfig;
  readonly #leaseDuration: Micros;
  readonly #renewDeadline: Micros;
  readonly #retryPeriod: Micros;
  /** The lease as last seen, and when we saw its record change. */
  #observed: Lease | undefined;
  #observedAt: Micros = 0;
  #reportedLeader = '';

  constructor(client: Client, config: LeaderElectionConfig) {
    this.#client = client;
    this.#config = config;
    this.#leaseDuration = config.leaseDurationUs ?? LEASE_DURATION;
    this.#renewDeadline = config.renewDeadlineUs ?? RENEW_DEADLINE;
    this.#retryPeriod = config.retryPeriodUs ?? RETRY_PERIOD;
  }

  isLeader(): boolean {
    return this.#observed?.spec.holderIdentity === this.#config.identity;
  }

  /** Acquires the lease, leads, renews until it is lost; then ends. Spawn it in the process that wants to lead. */
  *run(): Task<void> {
    const { facts, name, identity, onStartedLeading, onStoppedLeading } = this.#config;
    const process = this.#client.transport.process;
    while (!(yield* this.#tryAcquireOrRenew())) {
      yield* process.sleep(this.#retryPeriod + process.random.below(Math.floor((this.#retryPeriod * JITTER_PERCENT) / 100) + 1));
    }
    facts.leading.emit(name, identity, true);
    let leads = true;
    this.#onDeath(() => {
      if (leads) facts.leading.emit(name, identity, false);
    });
    onStartedLeading();
    // Who could not renew for the renew deadline must stop, because others take the lease soon after (kubernetes#23731).
    do yield* this.#renew();
    while (this.#config.ignoresLoss === true);
    leads = false;
    facts.leading.emit(name, identity, false);
    onStoppedLeading();
  }

  /** A process that dies leads no more: so it is told to those who look on, whatever it could say itself. */
  #onDeath(tell: () => void): void {
    const process = this.#client.transport.process;
    const told = process.onDeath;
    process.onDeath = (dead, cause) => {
      told?.(dead, cause);
      tell();
    };
  }

  /** Gives the lease up (ReleaseOnCancel): others need not wait for it to expire. */
  *release(): Task<void> {
    const lease = this.#observed;
    if (lease === undefined || !this.isLeader()) return;
    const now = formatMicroTime(this.#client.transport.process.wall());
    const result = yield* this.#client.resource(LEASES).update({
      ...lease,
      spec: { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now },
    });
    if (result.ok) this.#observe(result.object);
  }

  /** Renews every retry period until a renewal failed for the whole renew deadline. */
  *#renew(): Task<void> {
    const process = this.#client.transport.process;
    for (;;) {
      const deadline = process.mono() + this.#renewDeadline;
      for (;;) {
        const left = deadline - process.mono();
        if (left <= 0) return;
        const attempt = yield* timeout(process, left, this.#tryAcquireOrRenew());
        if (attempt.timedOut) return;
        if (attempt.value) break;
        yield* process.sleep(this.#retryPeriod);
      }
      yield* process.sleep(this.#retryPeriod);
    }
  }

  *#tryAcquireOrRenew(): Task<boolean> {
    const leases = this.#client.resource(LEASES);
    // A leader whose view is fresh updates at once; only a refusal makes it read (client-go since 1.29).
    if (this.#observed !== undefined && this.isLeader() && this.#leaseValid()) {
      const renewed = yield* leases.update(this.#record(this.#observed), this.#call());
      if (renewed.ok) {
        this.#observe(renewed.object);
        return true;
      }
    }
    const read = yield* leases.get(this.#config.namespace, this.#config.name, this.#call());
    if (!read.ok) {
      if (!isNotFound(read)) return false;
      const created = yield* leases.create(this.#record(undefined), this.#call());
      return this.#wrote(created);
    }
    if (this.#observed === undefined || !sameRecord(this.#observed, read.object)) this.#observe(read.object);
    else this.#observed = read.object;
    const holder = read.object.spec.holderIdentity ?? '';
    if (holder !== '' && !this.isLeader() && this.#leaseValid()) return false;
    return this.#wrote(yield* leases.update(this.#record(read.object), this.#call()));
  }

  #wrote(result: ApiResult<Lease>): boolean {
    if (!result.ok) return false;
    this.#observe(result.object);
    return true;
  }

  #leaseValid(): boolean {
    const duration = (this.#observed?.spec.leaseDurationSeconds ?? 0) * SECOND;
    return this.#observedAt + duration > this.#client.transport.process.mono();
  }

  #observe(lease: Lease): void {
    this.#observed = lease;
    this.#observedAt = this.#client.transport.process.mono();
    const holder = lease.spec.holderIdentity ?? '';
    if (holder === this.#reportedLeader) return;
    this.#reportedLeader = holder;
    this.#config.onNewLeader?.(holder);
  }

  /** The record that makes us the holder. */
  #record(previous: Lease | undefined): Lease {
    const { namespace, name, identity } = this.#config;
    const now = formatMicroTime(this.#client.transport.process.wall());
    const mine = previous?.spec.holderIdentity === identity;
    const transitions = (previous?.spec.leaseTransitions ?? 0) + (previous === undefined || mine ? 0 : 1);
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: previous?.metadata ?? { namespace, name },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.floor(this.#leaseDuration / SECOND),
        acquireTime: mine ? (previous?.spec.acquireTime ?? now) : now,
        renewTime: now,
        leaseTransitions: transitions,
      },
    };
  }

  /** Upstream resourcelock.NewFromKubeconfig: half the renew deadline, so that one lost request is not the end. */
  #call(): { readonly timeoutUs: Micros } {
    return { timeoutUs: Math.floor(this.#renewDeadline / 2) };
  }
}

function sameRecord(a: Lease, b: Lease): boolean {
  return (
    a.spec.holderIdentity === b.spec.holderIdentity &&
    a.spec.renewTime === b.spec.renewTime &&
    a.spec.acquireTime === b.spec.acquireTime &&
    a.spec.leaseTransitions === b.spec.leaseTransitions &&
    a.spec.leaseDurationSeconds === b.spec.leaseDurationSeconds
  );
}
