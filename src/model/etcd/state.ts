import type { Micros } from '../../sim/time.ts';
import type { AlarmMember, Member } from './api.ts';
import { AlarmStore } from './alarm-store.ts';
import { type AuthState, emptyAuthState } from './auth/auth-state.ts';
import { AuthStore } from './auth/auth-store.ts';
import { type LeaseRow, Lessor } from './lessor.ts';
import { Membership, type MembershipRows } from './membership.ts';
import { MvccStore, type StoreDefects, type StoreMark } from './mvcc/store.ts';
import { WatchableStore } from './mvcc/watchable-store.ts';

/** Everything that a backend commit makes durable together. Immutable: parts are shared with the running state. */
export interface BackendImage {
  /** The last raft entry whose changes are in here: a restart applies the entries after it. */
  readonly consistentIndex: number;
  readonly consistentTerm: number;
  readonly store: StoreMark;
  readonly leases: readonly LeaseRow[];
  readonly auth: AuthState;
  readonly alarms: readonly AlarmMember[];
  readonly membership: MembershipRows;
  readonly clusterVersion: string;
  readonly downgradeTarget: string;
}

/** Settings of the state machine that its owner decides. */
export interface StateOptions {
  readonly minLeaseTtlSeconds: number;
  /** How often long leases are noted down; absent: never. */
  readonly leaseCheckpointIntervalUs?: Micros;
  readonly storeDefects?: StoreDefects;
  /** The defect E12. */
  readonly watchesForgetStart?: boolean;
  /** Defects in what happens when a snapshot replaces the state. */
  readonly snapshotDefects?: {
    /** Watches are not told to look at the history again. */
    readonly skipsWatchers: boolean;
    /** The permission cache stays empty until the next change of rights. */
    readonly forgetsPermissions: boolean;
  };
}

const FRESH_FILE_BYTES = 20_480;
const PAGE_BYTES = 4096;

/**
 * The replicated state of one member: what applied entries made of it. In memory it runs ahead of the backend; `image` is what a
 * commit writes, and a new EtcdState from an image is a member that came back.
 */
export class EtcdState {
  readonly watch: WatchableStore;
  lessor: Lessor;
  auth: AuthStore;
  alarms: AlarmStore;
  membership: Membership;
  clusterVersion: string;
  downgradeTarget: string;
  /** In memory; a commit stores it with whatever has been changed by then. */
  consistentIndex: number;
  consistentTerm: number;
  /** Changes since the last commit (batchTx.pending). */
  pendingWrites = 0;
  /** The defect E17: members that are gone, and still stand in the backend. */
  undead: readonly Member[] = [];
  readonly #options: StateOptions;

  constructor(options: StateOptions, image?: BackendImage) {
    this.#options = options;
    const parts = partsOf(options, image);
    this.watch = new WatchableStore(parts.store, options.watchesForgetStart === true);
    this.lessor = parts.lessor;
    this.auth = parts.auth;
    this.alarms = parts.alarms;
    this.membership = parts.membership;
    this.clusterVersion = image?.clusterVersion ?? '';
    this.downgradeTarget = image?.downgradeTarget ?? '';
    this.consistentIndex = image?.consistentIndex ?? 0;
    this.consistentTerm = image?.consistentTerm ?? 0;
  }

  get store(): MvccStore {
    return this.watch.store;
  }

  /** Size of the backend file: it grows by pages and never shrinks but by defragmentation. */
  get sizeBytes(): number {
    return FRESH_FILE_BYTES + Math.ceil(this.store.sizeBytes / PAGE_BYTES) * PAGE_BYTES;
  }

  /** What a commit writes now. */
  image(): BackendImage {
    return {
      consistentIndex: this.consistentIndex,
      consistentTerm: this.consistentTerm,
      store: this.store.mark(),
      leases: this.lessor.rows(),
      auth: this.auth.state,
      alarms: this.alarms.list(),
      membership: this.#storedMembership(),
      clusterVersion: this.clusterVersion,
      downgradeTarget: this.downgradeTarget,
    };
  }

  #storedMembership(): MembershipRows {
    const { rows } = this.membership;
    return this.undead.length === 0 ? rows : { ...rows, members: [...rows.members, ...this.undead].sort((a, b) => a.id - b.id) };
  }

  /** A snapshot from the leader replaces everything; watchers stay and catch up (applySnapshot). */
  install(image: BackendImage): void {
    const parts = partsOf(this.#options, image);
    this.watch.restore(parts.store, this.#options.snapshotDefects?.skipsWatchers === true);
    this.lessor = parts.lessor;
    this.auth = parts.auth;
    // etcd#14571: the permission cache has to be filled again, or this member refuses what the others apply.
    if (this.#options.snapshotDefects?.forgetsPermissions === true) this.auth.forgetPermissions();
    this.alarms = parts.alarms;
    this.membership = parts.membership;
    this.undead = [];
    this.clusterVersion = image.clusterVersion;
    this.downgradeTarget = image.downgradeTarget;
    this.consistentIndex = image.consistentIndex;
    this.consistentTerm = image.consistentTerm;
  }
}

function partsOf(options: StateOptions, image: BackendImage | undefined) {
  const lessor = new Lessor(options.minLeaseTtlSeconds, image?.leases, options.leaseCheckpointIntervalUs);
  return {
    lessor,
    store: new MvccStore(lessor, image?.store, options.storeDefects),
    auth: new AuthStore(image?.auth ?? emptyAuthState),
    alarms: new AlarmStore(image?.alarms),
    membership: new Membership(image?.membership ?? { members: [], removed: [] }),
  };
}
