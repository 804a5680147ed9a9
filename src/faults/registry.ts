import { assert } from '../sim/assert.ts';
import { apiFlood } from './api-flood.ts';
import { appHang } from './app-hang.ts';
import { applyDeployment } from './apply-deployment.ts';
import { clockDrift } from './clock-drift.ts';
import { clockJump } from './clock-jump.ts';
import { cloudLag } from './cloud-lag.ts';
import { connectionReset } from './connection-reset.ts';
import { crashAtEffect } from './crash-at-effect.ts';
import { crashAtFact } from './crash-at-fact.ts';
import { crashHost } from './crash-host.ts';
import { crashProcess } from './crash-process.ts';
import { deleteNamespace } from './delete-namespace.ts';
import { deleteNode } from './delete-node.ts';
import { deletePod } from './delete-pod.ts';
import { diskFull } from './disk-full.ts';
import { diskSlow } from './disk-slow.ts';
import { diskStall } from './disk-stall.ts';
import { drainNode } from './drain-node.ts';
import { etcdAuthEnable } from './etcd-auth-enable.ts';
import { etcdCompact } from './etcd-compact.ts';
import { etcdDefragment } from './etcd-defragment.ts';
import { etcdLearnerAdd } from './etcd-learner-add.ts';
import { etcdMemberAdd } from './etcd-member-add.ts';
import { etcdMemberPromote } from './etcd-member-promote.ts';
import { etcdMemberRemove } from './etcd-member-remove.ts';
import { etcdMembersChange } from './etcd-members-change.ts';
import type { Fault } from './fault.ts';
import { linkDuplication } from './link-duplication.ts';
import { linkHold } from './link-hold.ts';
import { linkLatency } from './link-latency.ts';
import { linkLoss } from './link-loss.ts';
import { linkReorder } from './link-reorder.ts';
import { moveLeader } from './move-leader.ts';
import { muteAtFact } from './mute-at-fact.ts';
import { partition } from './partition.ts';
import { partitionAtFact } from './partition-at-fact.ts';
import { partitionPair } from './partition-pair.ts';
import { partitionZone } from './partition-zone.ts';
import { pauseHost } from './pause-host.ts';
import { pauseProcess } from './pause-process.ts';
import { powerOutage } from './power-outage.ts';
import { reclaimMachine } from './reclaim-machine.ts';
import { scale } from './scale.ts';
import { setImage } from './set-image.ts';
import { watchDelay } from './watch-delay.ts';
import { watchStall } from './watch-stall.ts';

/** Every kind of fault and operation, by kind in code-unit order. A new one is one file and one row. */
export const FAULTS: readonly Fault[] = [
  apiFlood,
  appHang,
  applyDeployment,
  clockDrift,
  clockJump,
  cloudLag,
  connectionReset,
  crashAtEffect,
  crashAtFact,
  crashHost,
  crashProcess,
  deleteNamespace,
  deleteNode,
  deletePod,
  diskFull,
  diskSlow,
  diskStall,
  drainNode,
  etcdAuthEnable,
  etcdCompact,
  etcdDefragment,
  etcdLearnerAdd,
  etcdMemberAdd,
  etcdMemberPromote,
  etcdMemberRemove,
  etcdMembersChange,
  linkDuplication,
  linkHold,
  linkLatency,
  linkLoss,
  linkReorder,
  moveLeader,
  muteAtFact,
  partition,
  partitionAtFact,
  partitionPair,
  partitionZone,
  pauseHost,
  pauseProcess,
  powerOutage,
  reclaimMachine,
  scale,
  setImage,
  watchDelay,
  watchStall,
] as unknown as readonly Fault[];

/** Faults by kind. A kind that is registered twice is our mistake. */
export function indexFaults(faults: readonly Fault[]): ReadonlyMap<string, Fault> {
  const index = new Map<string, Fault>();
  for (const fault of faults) {
    assert(!index.has(fault.kind), `fault kind ${fault.kind} is registered twice`);
    index.set(fault.kind, fault);
  }
  return index;
}

const byKind = indexFaults(FAULTS);

/** The fault of that kind, if there is one; callers list {@link faultKinds} for a user who misspelt it. */
export function findFault(kind: string): Fault | undefined {
  return byKind.get(kind);
}

/** The fault of a kind that was validated before. */
export function faultOf(kind: string): Fault {
  const fault = byKind.get(kind);
  assert(fault !== undefined, () => `unknown fault kind ${kind}; known: ${faultKinds().join(', ')}`);
  return fault;
}

/** All kinds, sorted. */
export function faultKinds(): readonly string[] {
  return [...byKind.keys()].sort();
}
