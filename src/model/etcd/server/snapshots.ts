import type { ConfState, Snapshot } from '../../../raft/types.ts';
import type { Process } from '../../../sim/process.ts';
import type { MembershipRows } from '../membership.ts';
import type { BackendImage } from '../state.ts';
import type { EtcdConfig } from './config.ts';
import type { Wal } from './wal.ts';

/** A snapshot file: where the log may start, and, if it came from the leader, the backend that belongs to it. */
export interface SnapshotFile {
  readonly index: number;
  readonly term: number;
  readonly confState: ConfState;
  readonly membership: MembershipRows;
  readonly image: BackendImage | undefined;
}

/** How many snapshot files stay on disk. */
const FILES_KEPT = 2;
const FILE_BYTES = 8192;

/** The snapshot files of a member (server/etcdserver/api/snap). */
export class Snapshots {
  readonly #process: Process;
  readonly #prefix: string;

  constructor(process: Process, config: EtcdConfig) {
    this.#process = process;
    this.#prefix = `${config.dataDir}snap/`;
  }

  /** The newest readable file that the log knows of (LoadNewestAvailable). */
  newest(wal: Wal): SnapshotFile | undefined {
    const known = wal.snapshots();
    const files = [...this.#process.host.disk.list(this.#prefix)].reverse();
    for (const name of files) {
      const record = this.#process.host.disk.read(name)?.[0];
      if (record === undefined || record.torn === true || record.rotten === true) continue;
      const file = record.value as SnapshotFile;
      if (known.some((mark) => mark.index === file.index && mark.term === file.term)) return file;
    }
    return undefined;
  }

  /** Writes a file durably, then marks it in the log. */
  save(wal: Wal, file: SnapshotFile, done: () => void): void {
    const name = `${this.#prefix}${pad(file.term)}-${pad(file.index)}`;
    const bytes = FILE_BYTES + (file.image?.store.sizeBytes ?? 0);
    this.#process.spawn('snapshot-save', this.#process.host.disk.replace(this.#process, name, file, bytes), (result) => {
      if (!result.ok) this.#process.exit(1, 'failed to save snapshot: no space left on device');
      const marked = wal.saveSnapshot({ index: file.index, term: file.term, confState: file.confState });
      if (!marked.ok) this.#process.exit(1, 'failed to save snapshot: no space left on device');
      wal.sync(() => {
        this.#purge(wal);
        done();
      });
    });
  }

  #purge(wal: Wal): void {
    const { disk } = this.#process.host;
    const files = disk.list(this.#prefix);
    for (const name of files.slice(0, -FILES_KEPT)) disk.remove(this.#process, name);
    const oldest = files[Math.max(0, files.length - FILES_KEPT)];
    if (oldest !== undefined) wal.release(Number(oldest.slice(-16)));
  }
}

function pad(value: number): string {
  return String(value).padStart(16, '0');
}

/** The file of a snapshot that the leader sent. */
export function fileOfSnapshot(snapshot: Snapshot): SnapshotFile {
  const image = snapshot.data as BackendImage;
  const { index, term, confState } = snapshot;
  return { index, term, confState, membership: image.membership, image };
}
