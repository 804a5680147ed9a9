import type { ApiObject } from '../api/object.ts';
import type { Namespace, NamespaceCondition, Pod } from '../api/types.ts';
import { formatTime, parseTime } from '../api/time.ts';
import { retryOnConflict } from '../client/batch.ts';
import type { Informer } from '../client/informer.ts';
import { NAMESPACES, type Resource } from '../client/resources.ts';
import { type ApiFailure, type ApiResult, isConflict, isNotFound } from '../client/result.ts';
import { type ReconcileError, runWorkers, WorkQueue } from '../client/work-queue.ts';
import type { Task } from '../../sim/task.ts';
import { MINUTE, SECOND, type Micros } from '../../sim/time.ts';
import type { ControllerContext, ControllerRow } from './context.ts';
import { DELETABLE_RESOURCES } from './deletable-resources.ts';

/**
 * Upstream namespaceDeletionGracePeriod: all API servers learn of the deletion before anything is removed. Without it a lagging one goes on
 * creating objects in a namespace that is empty and gone (kubernetes#36891).
 */
const DELETION_GRACE: Micros = 5 * SECOND;
const FINALIZER = 'kubernetes';
/** Upstream finalizerEstimateSeconds. */
const FINALIZER_ESTIMATE_SECONDS = 15;
/** Events exist under two groups; one deletion is enough. */
const NAMESPACED: readonly Resource[] = DELETABLE_RESOURCES.filter(
  (resource) => resource.namespaced && !(resource.resource === 'events' && resource.group !== ''),
);

/** Empties namespaces that are being deleted, then lets them go: pkg/controller/namespace. */
export const namespaceController: ControllerRow = {
  name: 'namespace-controller',
  start: (context) => new NamespaceController(context).start(),
};

interface Totals {
  readonly remaining: Map<string, number>;
  readonly finalizers: Map<string, number>;
  estimateSeconds: number;
  failure: ApiFailure | undefined;
}

class NamespaceController {
  readonly #context: ControllerContext;
  readonly #namespaces: Informer<Namespace>;
  readonly #queue: WorkQueue;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#namespaces = context.informer(NAMESPACES);
    // nsControllerRateLimiter: at least one try a minute.
    this.#queue = new WorkQueue(context.process, { maxDelayUs: MINUTE });
  }

  start(): void {
    const grace = this.#context.defects.has('K19') ? 0 : DELETION_GRACE;
    const enqueue = (namespace: Namespace) => {
      if (namespace.metadata.deletionTimestamp !== undefined) this.#queue.addAfter(namespace.metadata.name ?? '', grace);
    };
    this.#namespaces.addHandler(
      { onAdd: enqueue, onUpdate: (_, namespace) => enqueue(namespace) },
      this.#context.config.namespaceSyncPeriodUs,
    );
    this.#context.whenSynced([this.#namespaces], () => {
      runWorkers(this.#context.process, 'namespace', this.#queue, this.#context.config.concurrentNamespaceSyncs, (key) => this.#sync(key));
    });
  }

  /** Upstream namespacedResourcesDeleter.Delete. */
  *#sync(name: string): Task<ReconcileError> {
    const client = this.#context.client.resource(NAMESPACES);
    const read = yield* client.get('', name);
    if (!read.ok) return isNotFound(read) ? undefined : read;
    let namespace = read.object;
    if (namespace.metadata.deletionTimestamp === undefined) return undefined;
    if (namespace.status?.phase !== 'Terminating') {
      const marked: ApiResult<Namespace> = yield* this.#retry(namespace, (fresh) =>
        client.updateStatus({ ...fresh, status: { ...fresh.status, phase: 'Terminating' } }),
      );
      if (!marked.ok) return isNotFound(marked) ? undefined : marked;
      namespace = marked.object;
    }
    if ((namespace.spec?.finalizers ?? []).length === 0) return undefined;
    const totals = yield* this.#deleteAllContent(namespace);
    const conditions = this.#conditions(namespace, totals);
    if (conditions !== undefined) {
      const written: ApiResult<Namespace> = yield* this.#retry(namespace, (fresh) =>
        client.updateStatus({ ...fresh, status: { ...fresh.status, conditions } }),
      );
      if (!written.ok) return isNotFound(written) ? undefined : written;
      namespace = written.object;
    }
    if (totals.failure !== undefined) return totals.failure;
    if (totals.estimateSeconds > 0) {
      // ResourcesRemainingError: comes again after half the estimate, outside the back-off.
      this.#queue.addAfter(name, (Math.floor(totals.estimateSeconds / 2) + 1) * SECOND);
      return undefined;
    }
    const finalized: ApiResult<Namespace> = yield* this.#retry(namespace, (fresh) =>
      client.update(
        { ...fresh, spec: { ...fresh.spec, finalizers: (fresh.spec?.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER) } },
        { subresource: 'finalize' },
      ),
    );
    return finalized.ok || isNotFound(finalized) ? undefined : finalized;
  }

  *#retry(first: Namespace, write: (namespace: Namespace) => Task<ApiResult<Namespace>>): Task<ApiResult<Namespace>> {
    const client = this.#context.client.resource(NAMESPACES);
    let namespace = first;
    return yield* retryOnConflict(this.#context.process, function* (): Task<ApiResult<Namespace>> {
      const result: ApiResult<Namespace> = yield* write(namespace);
      if (!result.ok && isConflict(result)) {
        const fresh: ApiResult<Namespace> = yield* client.get('', namespace.metadata.name ?? '');
        if (!fresh.ok) return fresh;
        namespace = fresh.object;
      }
      return result;
    });
  }

  /** Pods first (OrderedNamespaceDeletion, GA in 1.34), everything else once they are gone. */
  *#deleteAllContent(namespace: Namespace): Task<Totals> {
    const totals: Totals = { remaining: new Map(), finalizers: new Map(), estimateSeconds: 0, failure: undefined };
    const pods = NAMESPACED.filter((resource) => resource.resource === 'pods');
    for (const resource of pods) yield* this.#deleteContent(namespace, resource, totals);
    if (totals.remaining.size > 0 || totals.failure !== undefined) return totals;
    for (const resource of NAMESPACED) if (resource.resource !== 'pods') yield* this.#deleteContent(namespace, resource, totals);
    return totals;
  }

  *#deleteContent(namespace: Namespace, resource: Resource, totals: Totals): Task<void> {
    const name = namespace.metadata.name ?? '';
    const client = this.#context.client.resource(resource);
    const before = yield* client.list(name);
    if (!before.ok) {
      totals.failure ??= before;
      return;
    }
    if (before.object.items.length === 0) return;
    const estimate =
      resource.resource === 'pods' ? this.#podsEstimate(namespace, before.object.items as readonly ApiObject[] as readonly Pod[]) : 0;
    const deleted = yield* client.deleteCollection(name, { options: { propagationPolicy: 'Background' } });
    if (!deleted.ok) {
      if (deleted.code !== 405) {
        totals.failure ??= deleted;
        return;
      }
      for (const item of before.object.items) {
        const one = yield* client.delete(name, item.metadata.name ?? '', { options: { propagationPolicy: 'Background' } });
        if (!one.ok && !isNotFound(one)) totals.failure ??= one;
      }
    }
    const after = yield* client.list(name);
    if (!after.ok) {
      totals.failure ??= after;
      return;
    }
    const { items } = after.object;
    if (items.length === 0) return;
    totals.remaining.set(resource.group === '' ? `${resource.resource}.` : `${resource.resource}.${resource.group}`, items.length);
    for (const item of items) {
      const finalizers = item.metadata.finalizers ?? [];
      for (const finalizer of finalizers) totals.finalizers.set(finalizer, (totals.finalizers.get(finalizer) ?? 0) + 1);
    }
    if (estimate === 0 && totals.finalizers.size === 0) {
      const message = `unexpected items still remain in namespace: ${name} for gvr: ${resource.group}/${resource.version}, Resource=${resource.resource}`;
      totals.failure ??= { ok: false, reason: 'ItemsRemain', code: 0, message, sent: true };
      return;
    }
    totals.estimateSeconds = Math.max(totals.estimateSeconds, estimate > 0 ? estimate : FINALIZER_ESTIMATE_SECONDS);
  }

  /** Upstream estimateGracefulTerminationForPods: the longest grace period that is left. */
  #podsEstimate(namespace: Namespace, pods: readonly Pod[]): number {
    let seconds = 0;
    for (const pod of pods) {
      if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') continue;
      const grace = pod.spec.terminationGracePeriodSeconds;
      if (grace !== undefined) seconds = Math.max(seconds, Number(grace));
    }
    const deletedAt = parseTime(namespace.metadata.deletionTimestamp ?? '') ?? 0;
    const elapsed = Math.floor((this.#context.process.wall() - deletedAt) / SECOND);
    return Math.max(0, seconds - elapsed) || (seconds > 0 ? 1 : 0);
  }

  /** The five conditions; undefined when they are so already. Upstream status_condition_utils.go. */
  #conditions(namespace: Namespace, totals: Totals): readonly NamespaceCondition[] | undefined {
    const now = formatTime(this.#context.process.wall());
    const remaining = [...totals.remaining.keys()].sort();
    const finalizers = [...totals.finalizers.keys()].sort();
    const wanted: NamespaceCondition[] = [
      {
        type: 'NamespaceDeletionDiscoveryFailure',
        status: 'False',
        reason: 'ResourcesDiscovered',
        message: 'All resources successfully discovered',
      },
      {
        type: 'NamespaceDeletionGroupVersionParsingFailure',
        status: 'False',
        reason: 'ParsedGroupVersions',
        message: 'All legacy kube types successfully parsed',
      },
      totals.failure === undefined
        ? {
            type: 'NamespaceDeletionContentFailure',
            status: 'False',
            reason: 'ContentDeleted',
            message: 'All content successfully deleted, may be waiting on finalization',
          }
        : {
            type: 'NamespaceDeletionContentFailure',
            status: 'True',
            reason: 'ContentDeletionFailed',
            message: `Failed to delete all resource types, 1 remaining: ${totals.failure.message}`,
          },
      remaining.length === 0
        ? { type: 'NamespaceContentRemaining', status: 'False', reason: 'ContentRemoved', message: 'All content successfully removed' }
        : {
            type: 'NamespaceContentRemaining',
            status: 'True',
            reason: 'SomeResourcesRemain',
            message: `Some resources are remaining: ${remaining.map((name) => `${name} has ${totals.remaining.get(name)} resource instances`).join(', ')}`,
          },
      finalizers.length === 0
        ? {
            type: 'NamespaceFinalizersRemaining',
            status: 'False',
            reason: 'ContentHasNoFinalizers',
            message: 'All content-preserving finalizers finished',
          }
        : {
            type: 'NamespaceFinalizersRemaining',
            status: 'True',
            reason: 'SomeFinalizersRemain',
            message: `Some content in the namespace has finalizers remaining: ${finalizers.map((name) => `${name} in ${totals.finalizers.get(name)} resource instances`).join(', ')}`,
          },
    ];
    const before = namespace.status?.conditions ?? [];
    let changed = false;
    const next = wanted.map((condition) => {
      const old = before.find((other) => other.type === condition.type);
      if (old !== undefined && old.status === condition.status && old.reason === condition.reason && old.message === condition.message)
        return old;
      changed = true;
      return { ...condition, lastTransitionTime: now };
    });
    return changed ? next : undefined;
  }
}
