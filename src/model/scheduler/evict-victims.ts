import type { Pod } from '../api/types.ts';
import { PODS } from '../client/resources.ts';
import { type ApiFailure, isNotFound } from '../client/result.ts';
import type { Client } from '../client/typed-client.ts';
import type { EventRecorder } from '../client/events.ts';
import { all } from '../../sim/sync.ts';
import type { Task } from '../../sim/task.ts';
import { podStatusPatch } from './pod-condition-patch.ts';
import type { Candidate } from './preemption.ts';
import { preemptionReason } from './preemption.ts';

/** Deletes the victims of a preemption, the last one when the others are gone from the API server's view. Upstream prepareCandidateAsync. */
export function* evictVictims(
  client: Client,
  recorder: EventRecorder,
  schedulerName: string,
  preemptor: Pod,
  candidate: Candidate,
): Task<ApiFailure | undefined> {
  const process = client.transport.process;
  const pods = client.resource(PODS);
  const evict = function* (victim: Pod): Task<ApiFailure | undefined> {
    const namespace = victim.metadata.namespace ?? '';
    const name = victim.metadata.name ?? '';
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: preemptionReason,
      message: `${schedulerName}: preempting to accommodate a higher priority pod`,
    };
    const patch = podStatusPatch(victim, { condition }, process.wall());
    if (patch !== undefined) {
      const marked = yield* pods.patch(namespace, name, 'strategic', patch, { subresource: 'status' });
      if (!marked.ok) return isNotFound(marked) ? undefined : marked;
    }
    const deleted = yield* pods.delete(namespace, name);
    if (!deleted.ok) return isNotFound(deleted) ? undefined : deleted;
    recorder.event(victim, 'Normal', 'Preempted', `Preempted by pod ${preemptor.metadata.uid ?? ''} on node ${candidate.node}`);
    return undefined;
  };
  const victims = candidate.victims.map((info) => info.pod).filter((pod) => pod.metadata.deletionTimestamp === undefined);
  const last = victims[victims.length - 1];
  const failures = yield* all(process, victims.slice(0, -1).map(evict));
  const failure = failures.find((one) => one !== undefined);
  if (failure !== undefined || last === undefined) return failure;
  return yield* evict(last);
}
