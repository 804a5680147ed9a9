import type { Message } from './message.ts';
import type { Config } from './tracker.ts';
import type { LogIndex, NodeId } from './types.ts';

/** A read that waits for the leader to confirm its leadership. */
export interface PendingRead {
  readonly request: Message;
  /** The commit index when the request arrived: what must be applied before the read is served. */
  readonly index: LogIndex;
}

/** Reads of a leader that wait until a quorum has answered a heartbeat sent after them (dissertation, section 6.4). */
export interface ReadQueue {
  /** Queues a read. */
  add(index: LogIndex, request: Message): void;
  /** What heartbeats carry for the newest read that waits; 0: none waits. */
  position(): number;
  /** A member answered a heartbeat that carried this number. */
  acknowledge(from: NodeId, position: number): void;
  /** Takes the reads that a quorum has confirmed by now, oldest first. */
  takeConfirmed(config: Config): readonly PendingRead[];
  /** Forgets everything: the leadership ended. */
  reset(): void;
}
