import type { Micros } from '../../../sim/time.ts';
import type { MemberId } from '../api.ts';
import { nobody } from '../auth/auth-store.ts';
import { etcdError, isError, type Result } from '../errors.ts';
import { requestTimeoutUs } from './config.ts';
import type { ServerContext } from './server-context.ts';

/** What a member says of its history up to a revision (HashByRev, over `/members/hashkv` between members). */
export interface HashAnswer {
  readonly memberId: MemberId;
  /** Revision up to which it hashed. */
  readonly revision: number;
  readonly compactRevision: number;
  readonly hash: number;
  /** Where the member stands. */
  readonly current: number;
}

interface PeerHash {
  readonly id: MemberId;
  /** Undefined where the peer did not answer, or could not: it is behind, or has compacted further. */
  readonly said: HashAnswer | undefined;
}

/**
 * etcd's search for members that hold different data (server/etcdserver/corrupt.go): once before a restarted member serves, and from time
 * to time on the leader. What it finds raises the CORRUPT alarm, after which the members refuse to change anything.
 */
export class CorruptionCheck {
  readonly #context: ServerContext;
  #newestChecked = 0;

  constructor(context: ServerContext) {
    this.#context = context;
  }

  /** Begins the periodic checks that are configured (monitorKVHash, monitorCompactHash). */
  run(): void {
    const { config } = this.#context;
    this.#every(config.corruptCheckUs, (done) => this.#periodic(done));
    this.#every(config.compactHashCheckUs, (done) => this.#compactHashes(done));
  }

  #every(intervalUs: Micros, check: (done: () => void) => void): void {
    if (intervalUs === 0) return;
    this.#context.process.after(intervalUs, () => {
      if (this.#context.raft.isLeader) check(() => this.#every(intervalUs, check));
      else this.#every(intervalUs, check);
    });
  }

  /** This member's answer to a peer that asks. */
  answer(revision: number): Result<HashAnswer> {
    const { state, memberId, config } = this.#context;
    const found = state.store.hashKv(revision);
    if (isError(found)) return found;
    config.facts.historyHash.emit(config.name, found.revision, found.compactRevision, found.hash);
    const { hash, compactRevision, current } = found;
    return { memberId, revision: found.revision, compactRevision, hash, current };
  }

  /**
   * InitialCheck: compares with the peers that answer. Only hashes of the same compaction can be compared; whoever is down, behind or
   * compacted further says nothing.
   */
  initial(done: (consistent: boolean) => void): void {
    const own = this.answer(0);
    if (isError(own)) return done(true);
    this.#askPeers(own.revision, (peers) => {
      done(!peers.some(({ said }) => said !== undefined && said.compactRevision === own.compactRevision && said.hash !== own.hash));
    });
  }

  /** PeriodicCheck. Everything that a follower has the leader has had before, once a read has made sure that it still leads. */
  #periodic(done: () => void): void {
    const before = this.answer(0);
    if (isError(before)) return done();
    this.#askPeers(before.revision, (peers) =>
      this.#context.waitRead((error) => {
        const after = this.answer(0);
        if (error === undefined && !isError(after)) {
          const suspect = this.#suspect(before, after, peers);
          if (suspect !== undefined) this.#alarm(suspect);
        }
        done();
      }),
    );
  }

  #suspect(before: HashAnswer, after: HashAnswer, peers: readonly PeerHash[]): MemberId | undefined {
    const same = after.revision === before.revision && after.compactRevision === before.compactRevision;
    if (same && after.hash !== before.hash) return before.memberId;
    return peers.find(
      ({ said }) =>
        said !== undefined &&
        (said.current > after.current ||
          said.compactRevision > after.compactRevision ||
          (said.compactRevision === before.compactRevision && said.hash !== before.hash)),
    )?.id;
  }

  /** CompactHashCheck: compares what compactions remembered, the newest first, until one could be compared with all members. */
  #compactHashes(done: () => void): void {
    const { store } = this.#context.state;
    const unchecked = store.storedHashes.filter((stored) => stored.revision > this.#newestChecked).reverse();
    const next = (at: number): void => {
      const stored = unchecked[at];
      if (stored === undefined) return done();
      this.#askPeers(stored.revision, (peers) => {
        const own = { ...stored, memberId: this.#context.memberId, current: store.revision };
        if (peers.length > 0 && this.#settled(own, peers)) done();
        else next(at + 1);
      });
    };
    next(0);
  }

  /** checkPeerHashes: whoever differs from a majority is corrupt; without a majority nobody knows who, and the whole cluster is. */
  #settled(own: HashAnswer, peers: readonly PeerHash[]): boolean {
    const byHash = new Map<number, MemberId[]>([[own.hash, [own.memberId]]]);
    let checked = 0;
    for (const { id, said } of peers) {
      if (said === undefined || said.compactRevision !== own.compactRevision) continue;
      checked++;
      byHash.set(said.hash, [...(byHash.get(said.hash) ?? []), id]);
    }
    if (byHash.size === 1) {
      if (checked < peers.length) return false;
      this.#newestChecked = own.revision;
      return true;
    }
    const quorum = Math.floor((peers.length + 1) / 2) + 1;
    const groups = [...byHash.values()];
    const majority = groups.find((members) => members.length >= quorum);
    if (majority === undefined) this.#alarm(0);
    else for (const members of groups) if (members !== majority) for (const id of members) this.#alarm(id);
    return true;
  }

  #alarm(memberId: MemberId): void {
    this.#context.proposals.propose({ type: 'alarm', action: 'ACTIVATE', memberId, alarm: 'CORRUPT' }, nobody, () => undefined);
  }

  /** getPeerHashKVs: one peer after the other. */
  #askPeers(revision: number, done: (peers: readonly PeerHash[]) => void): void {
    const { peers, memberId, config } = this.#context;
    const ids = peers.ids.filter((id) => id !== memberId);
    const said: PeerHash[] = [];
    const ask = (at: number): void => {
      const id = ids[at];
      if (id === undefined) return done(said);
      const rpc = peers.rpc(id);
      const took = (answer: Result<HashAnswer>): void => {
        said.push({ id, said: isError(answer) ? undefined : answer });
        ask(at + 1);
      };
      if (rpc === undefined) return took(etcdError('timeout'));
      rpc.callThen('peer/hashkv', revision, { timeoutUs: requestTimeoutUs(config), sizeBytes: 32 }, (result) =>
        took(result.ok ? (result.value as Result<HashAnswer>) : etcdError('timeout')),
      );
    };
    ask(0);
  }
}
