import type { Cancel, Task } from '../../sim/task.ts';
import type {
  GetAnswer,
  ListAnswer,
  ListOptions,
  Storage,
  StorageEntry,
  StorageEvent,
  StorageFailure,
  StorageWatchSink,
  WriteAnswer,
} from './storage.ts';
import { lowerBound } from './lower-bound.ts';
import type { StoredObject } from './stored-object.ts';

interface Version {
  readonly revision: number;
  /** Undefined: the key was deleted at this revision. */
  readonly value: StoredObject | undefined;
}

interface Watch {
  readonly prefix: string;
  readonly sink: StorageWatchSink;
}

/**
 * An etcd of one member that answers at once: for unit tests, the conformance runner and `seatrial check`.
 * It keeps every version since the last compaction, so lists at old revisions and watches from old revisions behave.
 */
export class MemoryStorage implements Storage {
  private revision = 1;
  private compacted = 0;
  private readonly versions = new Map<string, Version[]>();
  /** All keys ever written, sorted by code units (Kubernetes keys are ASCII); rebuilt lazily. */
  private sortedKeys: string[] = [];
  private unsorted = false;
  private log: StorageEvent[] = [];
  private readonly watches = new Set<Watch>();

  // biome-ignore lint/correctness/useYield: a task that answers at once
  *get(key: string): Task<GetAnswer | StorageFailure> {
    return { revision: this.revision, entry: this.current(key) };
  }

  // biome-ignore lint/correctness/useYield: a task that answers at once
  *list(prefix: string, options: ListOptions = {}): Task<ListAnswer | StorageFailure> {
    const at = options.revision ?? 0;
    if (at > this.revision) return { failure: 'future-revision', currentRevision: this.revision };
    if (at !== 0 && at < this.compacted) return { failure: 'compacted', compactRevision: this.compacted };
    const from = options.fromKey ?? prefix;
    const entries: StorageEntry[] = [];
    let count = 0;
    const limit = options.limit ?? 0;
    const keys = this.keys();
    for (let i = lowerBound(keys, from); i < keys.length; i++) {
      const key = keys[i] ?? '';
      if (!key.startsWith(prefix)) {
        if (key > prefix) break;
        continue;
      }
      const entry = this.entryAt(key, at === 0 ? this.revision : at);
      if (entry === undefined) continue;
      count++;
      if (limit === 0 || entries.length < limit) entries.push(entry);
    }
    return { revision: this.revision, entries, count };
  }

  // biome-ignore lint/correctness/useYield: a task that answers at once
  *create(key: string, value: StoredObject): Task<WriteAnswer | StorageFailure> {
    return this.put(key, 0, value);
  }

  // biome-ignore lint/correctness/useYield: a task that answers at once
  *compareAndPut(key: string, modRevision: number, value: StoredObject): Task<WriteAnswer | StorageFailure> {
    return this.put(key, modRevision, value);
  }

  // biome-ignore lint/correctness/useYield: a task that answers at once
  *compareAndDelete(key: string, modRevision: number): Task<WriteAnswer | StorageFailure> {
    const current = this.current(key);
    if (current === undefined || current.modRevision !== modRevision) return { succeeded: false, revision: this.revision, current };
    this.revision++;
    this.versions.get(key)?.push({ revision: this.revision, value: undefined });
    // Who is told may write at once, so the revision of this write is taken before.
    const { revision } = this;
    this.publish({ type: 'delete', key, modRevision: revision, previous: current });
    return { succeeded: true, revision, current };
  }

  watch(prefix: string, fromRevision: number, sink: StorageWatchSink): Cancel {
    if (fromRevision !== 0 && fromRevision <= this.compacted) {
      sink.closed({ failure: 'compacted', compactRevision: this.compacted });
      return () => {};
    }
    const missed = fromRevision === 0 ? [] : this.log.filter((e) => e.modRevision >= fromRevision && e.key.startsWith(prefix));
    if (missed.length > 0) sink.events(missed, this.revision);
    const watch = { prefix, sink };
    this.watches.add(watch);
    return () => {
      this.watches.delete(watch);
    };
  }

  // biome-ignore lint/correctness/useYield: a task that answers at once
  *currentRevision(): Task<number | StorageFailure> {
    return this.revision;
  }

  requestProgress(): void {
    for (const { sink } of this.watches) sink.progress(this.revision);
  }

  /** Forgets versions before this revision, as etcd's compaction does. */
  compact(revision: number = this.revision): void {
    this.compacted = revision;
    this.log = this.log.filter((event) => event.modRevision > revision);
    for (const [key, versions] of this.versions) {
      let last = 0;
      for (let i = 0; i < versions.length; i++) if ((versions[i]?.revision ?? 0) <= revision) last = i;
      const kept = versions.slice(last);
      if (kept.length === 1 && kept[0]?.value === undefined) {
        this.versions.delete(key);
        this.sortedKeys = this.sortedKeys.filter((k) => k !== key);
      } else this.versions.set(key, kept);
    }
  }

  private put(key: string, modRevision: number, value: StoredObject): WriteAnswer {
    const current = this.current(key);
    if ((current?.modRevision ?? 0) !== modRevision) return { succeeded: false, revision: this.revision, current };
    this.revision++;
    const versions = this.versions.get(key);
    const version = { revision: this.revision, value };
    if (versions === undefined) {
      this.versions.set(key, [version]);
      this.sortedKeys.push(key);
      this.unsorted = true;
    } else versions.push(version);
    const { revision } = this;
    this.publish({ type: 'put', key, value, modRevision: revision, previous: current });
    return { succeeded: true, revision, current };
  }

  private publish(event: StorageEvent): void {
    this.log.push(event);
    for (const watch of this.watches) if (event.key.startsWith(watch.prefix)) watch.sink.events([event], event.modRevision);
  }

  private current(key: string): StorageEntry | undefined {
    return this.entryAt(key, this.revision);
  }

  private entryAt(key: string, revision: number): StorageEntry | undefined {
    const versions = this.versions.get(key);
    if (versions === undefined) return undefined;
    for (let i = versions.length - 1; i >= 0; i--) {
      const version = versions[i];
      if (version !== undefined && version.revision <= revision) {
        return version.value === undefined ? undefined : { key, value: version.value, modRevision: version.revision };
      }
    }
    return undefined;
  }

  private keys(): readonly string[] {
    if (this.unsorted) {
      this.sortedKeys.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
      this.unsorted = false;
    }
    return this.sortedKeys;
  }
}
