import type { Message } from './message.ts';
import { majorityVote, VoteWon } from './quorum.ts';
import type { PendingRead, ReadQueue } from './read-queue.ts';
import type { Config } from './tracker.ts';
import type { LogIndex, NodeId } from './types.ts';

interface Waiting extends PendingRead {
  readonly position: number;
  readonly acks: Set<NodeId>;
}

/**
 * Known bug (etcd#20418): the queue as it was before etcd-io/raft#397, where heartbeats carry the requester's own context. A request that is sent
 * again shares it, so late answers to the first confirm the second, and with it every read that was queued before: also at a leader that has been
 * deposed meanwhile.
 */
export class SharedContextReads implements ReadQueue {
  private pending: Waiting[] = [];
  /** One number for each context ever seen: heartbeats carry numbers. */
  private readonly positions = new Map<unknown, number>();

  add(index: LogIndex, request: Message): void {
    const context = request.entries[0]?.data;
    const position = this.positions.get(context) ?? this.positions.size + 1;
    this.positions.set(context, position);
    if (this.pending.some((read) => read.position === position)) return;
    this.pending.push({ request, index, position, acks: new Set() });
  }

  position(): number {
    return this.pending[this.pending.length - 1]?.position ?? 0;
  }

  acknowledge(from: NodeId, position: number): void {
    this.pending.find((read) => read.position === position)?.acks.add(from);
  }

  takeConfirmed(config: Config): readonly PendingRead[] {
    const confirmed = ({ acks }: Waiting): boolean =>
      [config.voters, config.votersOutgoing].every((half) => majorityVote(half, (id) => acks.has(id) || undefined) === VoteWon);
    const last = this.pending.findLastIndex(confirmed);
    return last < 0 ? [] : this.pending.splice(0, last + 1);
  }

  reset(): void {
    this.pending = [];
    this.positions.clear();
  }
}
