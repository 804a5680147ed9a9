import { confChangeBytes } from './entry-size.ts';
import { startLogConfigs } from './log-configs.ts';
import { applyConfChange } from './membership.ts';
import { NoNode } from './message.ts';
import type { Raft } from './raft.ts';
import { becomeFollower } from './transitions.ts';
import { type ConfChange, ConfChangeAddNode, EntryConfChange, emptyConfState, type NodeId, TransitionAuto } from './types.ts';

/** A member at bootstrap, with what the host wants to know about it. */
export interface Peer {
  readonly id: NodeId;
  readonly context?: unknown;
}

/**
 * Fills an empty log with one membership change per peer, committed in term 1 (upstream: bootstrap.go). The configuration is
 * active at once, so that the node may campaign before its host applied the entries. Throws if there is a log already.
 */
export function bootstrapLog(r: Raft, peers: readonly Peer[]): void {
  if (peers.length === 0) throw new Error('bootstrap: must provide at least one peer');
  if (r.log.lastIndex() !== 0) throw new Error("bootstrap: can't bootstrap a nonempty Storage");
  becomeFollower(r, 1, NoNode);
  const changes = peers.map(({ id, context }): ConfChange => {
    return { transition: TransitionAuto, changes: [{ type: ConfChangeAddNode, nodeId: id }], context };
  });
  changes.forEach((data, i) => {
    const sizeBytes = confChangeBytes(data, true);
    r.log.push({ term: 1, index: i + 1, type: EntryConfChange, data, sizeBytes });
  });
  r.log.committed = peers.length;
  for (const change of changes) applyConfChange(r, change);
  startLogConfigs(r, emptyConfState);
}
