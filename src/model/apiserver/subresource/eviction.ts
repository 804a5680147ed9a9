import type { Task } from '../../../sim/task.ts';
import { MILLISECOND } from '../../../sim/time.ts';
import { labelSelectorMatches } from '../../api/label-selector.ts';
import type { Status, UntypedObject } from '../../api/object.ts';
import type { ApiResponse, RequestOptions } from '../../api/request.ts';
import { badRequest, conflict, failure, forbidden, methodNotAllowed, notFound, plainError, tooManyRequests } from '../../api/status.ts';
import { formatTime } from '../../api/time.ts';
import type { Condition, Pod, PodCondition, PodDisruptionBudget } from '../../api/types.ts';
import { cachedAll, kindNamed } from '../admission/lookup.ts';
import { admit, validateAdmission } from '../admission-chain.ts';
import { deleteObject } from '../delete.ts';
import { sleep } from '../environment.ts';
import { trackLoopback } from '../field-tracking.ts';
import { Refusal, refuse } from '../refusal.ts';
import { guaranteedUpdate, keyOf, readObject } from '../resource-store.ts';
import type { RequestScope } from '../server-context.ts';

/** Upstream MaxDisruptedPodSize. */
const disruptedPodsMax = 2000;
const refusedText = "Cannot evict pod as it would violate the pod's disruption budget.";

/** Upstream EvictionsRetry: tries, and the wait after a write that lost against another, drawn up to a tenth longer. */
const tries = 20;
const retryUs = 500 * MILLISECOND;
/** The server asks itself for the budget as any client would: one pass through its own handlers. */
const loopbackUs = MILLISECOND;

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
    yield* evictUncounted(inner, pod, options);
    return succeeded;
  }
  yield* sleep(server.environment, loopbackUs);
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
  if (budget !== undefined && mayIgnore(budget, pod)) {
    yield* evictUnready(inner, budget, pod, options);
    return succeeded;
  }
  if (budget !== undefined) yield* charge(inner, budget, pod);
  if (!dryRun) yield* markDisrupted(inner, name);
  yield* deleteObject(inner, kind, name, options);
  return succeeded;
}

function isConflict(refusal: unknown): boolean {
  return refusal instanceof Refusal && refusal.status.reason === 'Conflict';
}

/** A pod that no budget counts goes at once; a pending one only as it was seen, since by now it may be ready and count. */
function* evictUncounted(scope: RequestScope, pod: Pod, options: RequestOptions): Task<void> {
  const { kind } = scope;
  const name = pod.metadata.name ?? '';
  const isPinned = options.preconditions?.resourceVersion !== undefined;
  let seen = pod;
  for (let attempt = 1; ; attempt++) {
    try {
      const version = seen.status?.phase === 'Pending' && !isPinned ? seen.metadata.resourceVersion : undefined;
      if (!scope.dryRun) yield* markDisrupted(scope, name, version);
      yield* deleteObject(scope, kind, name, options);
      return;
    } catch (refusal) {
      if (!isConflict(refusal) || isPinned || attempt === tries) throw refusal;
    }
    yield* sleep(scope.server.environment, retryDelay(scope));
    const again = yield* readObject(scope.server, keyOf(kind, scope.namespace, name));
    if (again === undefined) return refuse(notFound(kind, name));
    seen = again as unknown as Pod;
  }
}

/** An unready pod that need not be charged for must not have become ready meanwhile. */
function* evictUnready(scope: RequestScope, budget: PodDisruptionBudget, pod: Pod, options: RequestOptions): Task<void> {
  const name = pod.metadata.name ?? '';
  try {
    if (!scope.dryRun) yield* markDisrupted(scope, name, pod.metadata.resourceVersion);
    yield* deleteObject(scope, scope.kind, name, options);
  } catch (refusal) {
    if (!isConflict(refusal) || options.preconditions?.resourceVersion !== undefined) throw refusal;
    refuse(beingProcessed(budget.metadata.name ?? ''));
  }
}

function retryDelay(scope: RequestScope): number {
  return retryUs + Math.floor(((scope.server.environment.random() % 1000) * retryUs) / 10_000);
}

function causesOf(message: string): NonNullable<Status['details']>['causes'] {
  return [{ reason: 'DisruptionBudget', message }];
}

function beingProcessed(budget: string): Status {
  return tooManyRequests(refusedText, 10, causesOf(`The disruption budget ${budget} is still being processed by the server.`));
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

/** Takes one disruption off the budget. Two evictions at once write over the same state: one loses, and tries again half a second later. */
function* charge(scope: RequestScope, budget: PodDisruptionBudget, pod: Pod): Task<void> {
  const { server } = scope;
  const kind = kindNamed(server, 'policy', 'v1', 'poddisruptionbudgets');
  const name = budget.metadata.name ?? '';
  const key = keyOf(kind, scope.namespace, name);
  let seen = budget;
  for (let attempt = 1; ; attempt++) {
    const next = charged(scope, seen, pod) as unknown as UntypedObject;
    if (scope.dryRun) return;
    yield* sleep(server.environment, loopbackUs);
    const wanted = seen.metadata.resourceVersion;
    try {
      // biome-ignore lint/correctness/useYield: a task that answers at once
      yield* guaranteedUpdate(server, { kind, key, name, dryRun: false }, function* (existing): Task<UntypedObject> {
        if (existing?.metadata.resourceVersion !== wanted) refuse(conflict(kind, name));
        // Upstream writes the budget through a loopback client, so the server itself owns these fields.
        return trackLoopback(server, kind, existing as UntypedObject, next);
      });
      return;
    } catch (refusal) {
      if (!isConflict(refusal)) throw refusal;
      if (attempt === tries)
        refuse(
          failure(504, 'Timeout', `Timeout: couldn't update PodDisruptionBudget "${name}" due to conflicts`, { retryAfterSeconds: 10 }),
        );
    }
    yield* sleep(server.environment, retryDelay(scope));
    const again = yield* readObject(server, key);
    if (again === undefined) return refuse(notFound(kind, name));
    seen = again as unknown as PodDisruptionBudget;
  }
}

/** The budget with one disruption less, or the refusal. Upstream checkAndDecrement. */
function charged(scope: RequestScope, current: PodDisruptionBudget, pod: Pod): PodDisruptionBudget {
  const kind = kindNamed(scope.server, 'policy', 'v1', 'poddisruptionbudgets');
  const name = current.metadata.name ?? '';
  const status = current.status ?? { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 };
  if ((status.observedGeneration ?? 0) < (current.metadata.generation ?? 0)) refuse(beingProcessed(name));
  if (status.disruptionsAllowed < 0) refuse(forbidden(kind, name, 'pdb disruptions allowed is negative'));
  if (Object.keys(status.disruptedPods ?? {}).length > disruptedPodsMax)
    refuse(forbidden(kind, name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller'));
  if (status.disruptionsAllowed === 0) {
    const why =
      status.currentHealthy < status.desiredHealthy
        ? `The disruption budget ${name} needs ${status.desiredHealthy} healthy pods and has ${status.currentHealthy} currently`
        : `The disruption budget ${name} does not allow evicting pods currently`;
    refuse(tooManyRequests(refusedText, 0, causesOf(why)));
  }
  const allowed = status.disruptionsAllowed - 1;
  const now = formatTime(scope.context.nowUs);
  return {
    ...current,
    status: {
      ...status,
      disruptionsAllowed: allowed,
      disruptedPods: { ...status.disruptedPods, [pod.metadata.name ?? '']: now },
      ...(allowed === 0 ? { conditions: insufficient(status.conditions ?? [], current.metadata.generation ?? 0, now) } : {}),
    },
  };
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
function* markDisrupted(scope: RequestScope, name: string, resourceVersion?: string): Task<void> {
  const { kind } = scope;
  const options = { kind, key: keyOf(kind, scope.namespace, name), name, resourceVersion, dryRun: false };
  yield* guaranteedUpdate(scope.server, options, function* (existing) {
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
