import type { Task } from '../../../sim/task.ts';
import { labelSelectorMatches } from '../../api/label-selector.ts';
import type { Status, UntypedObject } from '../../api/object.ts';
import type { ApiResponse, RequestOptions } from '../../api/request.ts';
import { badRequest, forbidden, methodNotAllowed, notFound, plainError, tooManyRequests } from '../../api/status.ts';
import { formatTime } from '../../api/time.ts';
import type { Condition, Pod, PodCondition, PodDisruptionBudget } from '../../api/types.ts';
import { cachedAll, kindNamed } from '../admission/lookup.ts';
import { admit, validateAdmission } from '../admission-chain.ts';
import { deleteObject } from '../delete.ts';
import { trackLoopback } from '../field-tracking.ts';
import { refuse } from '../refusal.ts';
import { guaranteedUpdate, keyOf, readObject } from '../resource-store.ts';
import type { RequestScope } from '../server-context.ts';

/** Upstream MaxDisruptedPodSize. */
const disruptedPodsMax = 2000;
const refusedText = "Cannot evict pod as it would violate the pod's disruption budget.";

interface EvictionBody extends UntypedObject {
  readonly deleteOptions?: RequestOptions;
}

/** The eviction subresource: a delete that asks the pod's disruption budget first. Upstream pkg/registry/core/pod/storage/eviction.go. */
export function* eviction(scope: RequestScope): Task<ApiResponse> {
  const { server, request, kind } = scope;
  if (request.verb !== 'create') refuse(methodNotAllowed());
  const name = request.name ?? '';
  const body = (request.object ?? {}) as EvictionBody;
  if ((body.metadata?.name ?? '') !== name) refuse(badRequest('name in URL does not match name in Eviction object'));
  const options: RequestOptions = { ...body.deleteOptions, ...(scope.dryRun ? { dryRun: ['All'] } : {}) };
  const dryRun = scope.dryRun || (options.dryRun?.length ?? 0) > 0;
  const inner: RequestScope = { ...scope, dryRun };
  const found = yield* readObject(server, keyOf(kind, scope.namespace, name));
  if (found === undefined) return refuse(notFound(kind, name));
  const subject = { operation: 'CREATE' as const, kind, name, object: body as UntypedObject, oldObject: undefined };
  yield* admit(inner, subject);
  yield* validateAdmission(inner, subject);
  const pod = found as unknown as Pod;
  if (!asksBudget(pod)) {
    if (!dryRun) yield* markDisrupted(inner, name);
    yield* deleteObject(inner, kind, name, options);
    return succeeded;
  }
  const budgets = (
    (yield* cachedAll(
      server,
      kindNamed(server, 'policy', 'v1', 'poddisruptionbudgets'),
      scope.namespace,
    )) as unknown as readonly PodDisruptionBudget[]
  ).filter((budget) => labelSelectorMatches(budget.spec.selector, pod.metadata.labels));
  if (budgets.length > 1)
    refuse(plainError('This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.'));
  const [budget] = budgets;
  if (budget !== undefined && !mayIgnore(budget, pod)) yield* charge(inner, budget, pod);
  if (!dryRun) yield* markDisrupted(inner, name);
  yield* deleteObject(inner, kind, name, options);
  return succeeded;
}

const succeeded: ApiResponse = {
  code: 201,
  object: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } as Status,
};

/** Finished, pending and terminating pods are not counted by any budget. */
function asksBudget(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return phase !== 'Succeeded' && phase !== 'Failed' && phase !== 'Pending' && pod.metadata.deletionTimestamp === undefined;
}

/** unhealthyPodEvictionPolicy (KEP-3017). */
function mayIgnore(budget: PodDisruptionBudget, pod: Pod): boolean {
  const isReady = (pod.status?.conditions ?? []).some((c) => c.type === 'Ready' && c.status === 'True');
  if (isReady) return false;
  if (budget.spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = budget.status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

function* charge(scope: RequestScope, budget: PodDisruptionBudget, pod: Pod): Task<void> {
  const kind = kindNamed(scope.server, 'policy', 'v1', 'poddisruptionbudgets');
  const name = budget.metadata.name ?? '';
  const podName = pod.metadata.name ?? '';
  const key = keyOf(kind, scope.namespace, name);
  yield* guaranteedUpdate(scope.server, { kind, key, name, dryRun: scope.dryRun }, function* (existing) {
    const current = existing as unknown as PodDisruptionBudget;
    const status = current.status ?? { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 };
    const because = (message: string): Status['details'] => ({ causes: [{ reason: 'DisruptionBudget', message }] });
    if ((status.observedGeneration ?? 0) < (current.metadata.generation ?? 0)) {
      refuse(tooManyRequests(refusedText, 10, because(`The disruption budget ${name} is still being processed by the server.`)?.causes));
    }
    if (status.disruptionsAllowed < 0) refuse(forbidden(kind, name, 'pdb disruptions allowed is negative'));
    if (Object.keys(status.disruptedPods ?? {}).length > disruptedPodsMax)
      refuse(forbidden(kind, name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller'));
    if (status.disruptionsAllowed === 0) {
      const why =
        status.currentHealthy < status.desiredHealthy
          ? `The disruption budget ${name} needs ${status.desiredHealthy} healthy pods and has ${status.currentHealthy} currently`
          : `The disruption budget ${name} does not allow evicting pods currently`;
      refuse(tooManyRequests(refusedText, 0, because(why)?.causes));
    }
    const allowed = status.disruptionsAllowed - 1;
    const now = formatTime(scope.context.nowUs);
    const next = {
      ...current,
      status: {
        ...status,
        disruptionsAllowed: allowed,
        disruptedPods: { ...status.disruptedPods, [podName]: now },
        ...(allowed === 0 ? { conditions: insufficient(status.conditions ?? [], current.metadata.generation ?? 0, now) } : {}),
      },
    } as unknown as UntypedObject;
    // Upstream writes the budget through a loopback client, so the server itself owns these fields.
    return trackLoopback(scope.server, kind, existing as UntypedObject, next);
  });
}

function insufficient(conditions: readonly Condition[], observedGeneration: number, now: string): readonly Condition[] {
  const condition: Condition = {
    type: 'DisruptionAllowed',
    status: 'False',
    observedGeneration,
    lastTransitionTime: now,
    reason: 'InsufficientPods',
    message: '',
  };
  return [...conditions.filter((c) => c.type !== 'DisruptionAllowed'), condition];
}

/** PodDisruptionConditions: the pod says why it goes. */
function* markDisrupted(scope: RequestScope, name: string): Task<void> {
  const { kind } = scope;
  yield* guaranteedUpdate(scope.server, { kind, key: keyOf(kind, scope.namespace, name), name, dryRun: false }, function* (existing) {
    const pod = existing as unknown as Pod;
    const condition: PodCondition = {
      type: 'DisruptionTarget',
      status: 'True',
      lastProbeTime: null as unknown as string,
      lastTransitionTime: formatTime(scope.context.nowUs),
      reason: 'EvictionByEvictionAPI',
      message: 'Eviction API: evicting',
    };
    const conditions = [...(pod.status?.conditions ?? []).filter((c) => c.type !== 'DisruptionTarget'), condition];
    return { ...pod, status: { ...pod.status, conditions } } as unknown as UntypedObject;
  });
}
