import type { Entry } from '../../../raft/types.ts';
import { isError, type Result } from '../errors.ts';
import { isTombstone } from '../mvcc/record.ts';
import type { MvccStore } from '../mvcc/store.ts';
import type { Proposal } from '../proposal.ts';
import type { EtcdConfig } from './config.ts';

/** Tells as facts what was committed, once for all members, and each member's hash. */
export class FactTeller {
  readonly #config: EtcdConfig;
  #hashRevision = -1;
  #hashedCompaction = -1;

  constructor(config: EtcdConfig) {
    this.#config = config;
  }

  /** An entry was applied to the member's store; `result` is undefined if it was only replayed. */
  applied(store: MvccStore, entry: Entry, result: Result<unknown> | undefined): void {
    const { facts, told, name } = this.#config;
    if (facts.leaseRevoked.on && result !== undefined && !isError(result)) this.#tellLease(entry);
    const { revision, compactRevision } = store;
    if (revision > told.revision) {
      if (facts.keyChanged.on || facts.objectChanged.on) this.#tellChanges(store, told.revision + 1);
      told.revision = revision;
    }
    if (compactRevision > told.compacted) {
      told.compacted = compactRevision;
      facts.storeCompacted.emit(compactRevision);
    }
    if (revision !== this.#hashRevision) {
      this.#hashRevision = revision;
      facts.storeHash.emit(name, revision, store.historyHash, store.keysHash);
    }
    if (compactRevision !== this.#hashedCompaction) {
      this.#hashedCompaction = compactRevision;
      if (facts.historyHash.on) this.#tellHash(store);
    }
  }

  /** A compaction remembers the hash of what it begins with. */
  #tellHash(store: MvccStore): void {
    const found = store.hashKv(store.compactRevision);
    if (!isError(found)) this.#config.facts.historyHash.emit(this.#config.name, found.revision, found.compactRevision, found.hash);
  }

  #tellLease(entry: Entry): void {
    const { request } = entry.data as Proposal;
    if (request.type !== 'leaseRevoke') return;
    this.#config.facts.leaseRevoked.emit(this.#config.name, String(request.id), request.expired === true ? 'expired' : 'revoked');
  }

  #tellChanges(store: MvccStore, from: number): void {
    const { facts, reveal } = this.#config;
    store.forEachChangeFrom(from, (record) => {
      const gone = isTombstone(record);
      facts.keyChanged.emit(record.modRevision, record.sub, record.key, gone ? 'DELETE' : 'PUT', record.valueHash);
      facts.objectChanged.emit(record.modRevision, record.key, gone ? undefined : reveal?.(record.value));
      return true;
    });
  }
}
