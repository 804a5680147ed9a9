import type { Message } from './message.ts';
import type { Entry, HardState, ReadState, Snapshot, SoftState } from './types.ts';

/** What a node wants its host to do. Everything in it is immutable. */
export interface Ready {
  /** Leader or role, if they changed. */
  readonly softState: SoftState | undefined;
  /** Term, vote and commit index to persist, if any changed. */
  readonly hardState: HardState | undefined;
  /** Reads that may be served once everything up to their index is applied. */
  readonly readStates: readonly ReadState[];
  /** Entries to append to stable storage; at existing positions they truncate what follows. */
  readonly entries: readonly Entry[];
  /** A snapshot to persist and apply, before anything else of this Ready is applied. */
  readonly snapshot: Snapshot | undefined;
  /** Entries to apply to the state machine. */
  readonly committedEntries: readonly Entry[];
  /** Messages to send, once entries, hard state and snapshot are on stable storage. (Asynchronous mode: at once.) */
  readonly messages: readonly Message[];
  /** Whether the write must reach the disk before going on; a commit index alone need not. */
  readonly mustSync: boolean;
}
