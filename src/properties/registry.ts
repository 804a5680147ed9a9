import { assert } from '../sim/assert.ts';
import { correctReads } from './correct-reads.ts';
import { disruptionBudget } from './disruption-budget.ts';
import { durableWrites } from './durable-writes.ts';
import { eventualReconciliation } from './eventual-reconciliation.ts';
import { healthyNodeKept } from './healthy-node-kept.ts';
import { leaderServed } from './leader-served.ts';
import { leaderStepsDown } from './leader-steps-down.ts';
import { leaseEnds } from './lease-ends.ts';
import { leaseLifetime } from './lease-lifetime.ts';
import { loadBalancersFollow } from './load-balancers-follow.ts';
import { lockExclusion } from './lock-exclusion.ts';
import { memberAgreement } from './member-agreement.ts';
import { noMassEviction } from './no-mass-eviction.ts';
import { noOrphans } from './no-orphans.ts';
import { nodeCapacity } from './node-capacity.ts';
import { podIdentity } from './pod-identity.ts';
import { podsGetNodes } from './pods-get-nodes.ts';
import { progressAfterHeal } from './progress-after-heal.ts';
import type { Property } from './property.ts';
import { quiescence } from './quiescence.ts';
import { raftElectionSafety } from './raft-election-safety.ts';
import { raftLeaderAppendOnly } from './raft-leader-append-only.ts';
import { raftLeaderCompleteness } from './raft-leader-completeness.ts';
import { raftLogMatching } from './raft-log-matching.ts';
import { raftStateMachineSafety } from './raft-state-machine-safety.ts';
import { rolloutBounds } from './rollout-bounds.ts';
import { readinessKept } from './readiness-kept.ts';
import { replicaBounds } from './replica-bounds.ts';
import { rolloutAvailability } from './rollout-availability.ts';
import { rolloutOrder } from './rollout-order.ts';
import { serviceAvailability } from './service-availability.ts';
import { singleLeader } from './single-leader.ts';
import { splitBrainReadOnly } from './split-brain-read-only.ts';
import { watchAtomic } from './watch-atomic.ts';
import { watchBookmarkable } from './watch-bookmarkable.ts';
import { watchFiltered } from './watch-filtered.ts';
import { watchOrdered } from './watch-ordered.ts';
import { watchReliable } from './watch-reliable.ts';
import { watchResumable } from './watch-resumable.ts';
import { watchUnique } from './watch-unique.ts';
import { workloadReconciliation } from './workload-reconciliation.ts';

/** Every property, by id in code-unit order. A new one is one file and one row. */
export const PROPERTIES: readonly Property[] = [
  correctReads,
  disruptionBudget,
  durableWrites,
  eventualReconciliation,
  healthyNodeKept,
  leaderServed,
  leaderStepsDown,
  leaseEnds,
  leaseLifetime,
  loadBalancersFollow,
  lockExclusion,
  memberAgreement,
  noMassEviction,
  noOrphans,
  nodeCapacity,
  podIdentity,
  podsGetNodes,
  progressAfterHeal,
  quiescence,
  raftElectionSafety,
  raftLeaderAppendOnly,
  raftLeaderCompleteness,
  raftLogMatching,
  raftStateMachineSafety,
  readinessKept,
  replicaBounds,
  rolloutAvailability,
  rolloutBounds,
  rolloutOrder,
  serviceAvailability,
  singleLeader,
  splitBrainReadOnly,
  watchAtomic,
  watchBookmarkable,
  watchFiltered,
  watchOrdered,
  watchReliable,
  watchResumable,
  watchUnique,
  workloadReconciliation,
];

/** Properties by id. An id that is registered twice is our mistake. */
export function indexProperties(properties: readonly Property[]): ReadonlyMap<string, Property> {
  const index = new Map<string, Property>();
  for (const property of properties) {
    assert(!index.has(property.id), `property ${property.id} is registered twice`);
    index.set(property.id, property);
  }
  return index;
}

const byId = indexProperties(PROPERTIES);

/** The property of that id, if there is one. */
export function findProperty(id: string): Property | undefined {
  return byId.get(id);
}

/** All ids, sorted. */
export function propertyIds(): readonly string[] {
  return [...byId.keys()].sort();
}
