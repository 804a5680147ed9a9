import type { Message } from './message.ts';
import { jointCommitted } from './quorum.ts';
import type { PendingRead, ReadQueue } from './read-queue.ts';
import type { Config } from './tracker.ts';
import type { LogIndex, NodeId } from './types.ts';

/** A read waits for a heartbeat round that a quorum answered (dissertation, section 6.4). */
export const ReadOnlySafe = 0;
/** A read trusts the leader's lease: cheaper, and wrong if clocks drift too far. Needs CheckQuorum. */
export const ReadOnlyLeaseBased = 1;

/** One of the two `ReadOnly…` numbers. */
export type ReadOnlyOption = number;

/**
 * Reads waiting for confirmation. They are numbered by arrival within this leadership, and heartbeats carry the number of the
 * newest: an answer confirms all reads up to it. Numbers instead of the requester's own context, because a retried request
 * shares its context with the first, and late answers to the first then confirm the retry of a leader long deposed (etcd#20418).
 */
export class ReadOnly implements ReadQueue {
  private pending: PendingRead[] = [];
  private confirmed = 0;
  private readonly acks = new Map<NodeId, number>();

  add(index: LogIndex, request: Message): void {
    this.pending.push({ request, index });
  }

  position(): number {
    return this.pending.length === 0 ? 0 : this.confirmed + this.pending.length;
  }

  acknowledge(from: NodeId, position: number): void {
    if (position > (this.acks.get(from) ?? 0)) this.acks.set(from, position);
  }

  takeConfirmed(config: Config): readonly PendingRead[] {
    const quorum = jointCommitted(config.voters, config.votersOutgoing, (id) => this.acks.get(id) ?? 0);
    const count = Math.min(quorum - this.confirmed, this.pending.length);
    if (count <= 0) return [];
    const done = this.pending.slice(0, count);
    this.pending = this.pending.slice(count);
    this.confirmed += count;
    return done;
  }

  reset(): void {
    if (this.pending.length > 0) this.pending = [];
    this.confirmed = 0;
    this.acks.clear();
  }
}
