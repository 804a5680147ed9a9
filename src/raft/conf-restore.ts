import { type ChangeBase, type Changed, enterJoint, simpleChange } from './confchange.ts';
import {
  ConfChangeAddLearnerNode,
  ConfChangeAddNode,
  ConfChangeRemoveNode,
  type ConfChangeSingle,
  type ConfChangeType,
  type ConfState,
  type NodeId,
} from './types.ts';

function each(type: ConfChangeType, ids: readonly NodeId[]): ConfChangeSingle[] {
  return ids.map((nodeId) => ({ type, nodeId }));
}

/**
 * Rebuilds a configuration from the form that snapshots carry, through the same changes that could have led there, so that the
 * changer's rules check it. `base` must be empty. Throws ConfChangeError.
 */
export function restoreConfig(base: ChangeBase, state: ConfState): Changed {
  const incoming = [
    ...each(ConfChangeAddNode, state.voters),
    ...each(ConfChangeAddLearnerNode, state.learners),
    ...each(ConfChangeAddLearnerNode, state.learnersNext),
  ];
  let changed: Changed = { config: base.config, progress: base.progress };
  const step = (change: ConfChangeSingle): void => {
    changed = simpleChange({ ...base, ...changed }, [change]);
  };
  if (state.votersOutgoing.length === 0) {
    incoming.forEach(step);
    return changed;
  }
  // First make the outgoing half the active configuration, then enter the joint one from there.
  each(ConfChangeAddNode, state.votersOutgoing).forEach(step);
  const removed = each(ConfChangeRemoveNode, state.votersOutgoing);
  return enterJoint({ ...base, ...changed }, state.autoLeave, [...removed, ...incoming]);
}
