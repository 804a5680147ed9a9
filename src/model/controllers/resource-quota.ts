import type { ApiObject, UntypedObject } from '../api/object.ts';
import { addQuantity, formatQuantity, type Quantity, quantityFromUnits, quantityOf } from '../api/quantity.ts';
import { quotaScopesMatch, quotaUsage } from '../api/quota-usage.ts';
import { parseTime } from '../api/time.ts';
import type { Pod, PersistentVolumeClaim, ResourceQuota, Service } from '../api/types.ts';
import type { Informer } from '../client/informer.ts';
import { objectKey } from '../client/reflector.ts';
import { PERSISTENT_VOLUME_CLAIMS, PODS, type Resource, RESOURCE_QUOTAS, SERVICES } from '../client/resources.ts';
import { isNotFound } from '../client/result.ts';
import { type ReconcileError, runWorkers, WorkQueue } from '../client/work-queue.ts';
import type { Task } from '../../sim/task.ts';
import { SECOND } from '../../sim/time.ts';
import type { ControllerContext, ControllerRow } from './context.ts';
import { COLLECTED_RESOURCES } from './deletable-resources.ts';

const NAMESPACE_INDEX = 'namespace';

/** Recounts what quotas limit, after deletions and now and then: pkg/controller/resourcequota. Charging is the admission plugin's work. */
export const resourceQuotaController: ControllerRow = {
  name: 'resourcequota-controller',
  start: (context) => new ResourceQuotaController(context).start(),
};

class ResourceQuotaController {
  readonly #context: ControllerContext;
  readonly #quotas: Informer<ResourceQuota>;
  readonly #queue: WorkQueue;
  readonly #counted: readonly Resource[] = COLLECTED_RESOURCES.filter((resource) => resource.namespaced);

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#quotas = context.informer(RESOURCE_QUOTAS);
    this.#queue = new WorkQueue(context.process);
  }

  start(): void {
    const { process, config } = this.#context;
    this.#quotas.addIndex(NAMESPACE_INDEX, (quota) => [quota.metadata.namespace ?? '']);
    this.#quotas.addHandler(
      {
        onAdd: (quota) => this.#queue.add(objectKey(quota)),
        onUpdate: (before, quota) => {
          // Status changes (the admission plugin's charges above all) need no recount; the resync does.
          if (before === quota || !sameAmounts(before.spec?.hard, quota.spec?.hard)) this.#queue.add(objectKey(quota));
        },
        onDelete: (quota) => this.#queue.add(objectKey(quota)),
      },
      config.resourceQuotaSyncPeriodUs,
    );
    const informers = this.#counted.map((resource) => this.#monitor(resource));
    this.#context.whenSynced([this.#quotas, ...informers], () => {
      runWorkers(process, 'resourcequota', this.#queue, config.concurrentResourceQuotaSyncs, (key) => this.#sync(key));
    });
  }

  /** Upstream QuotaMonitor: deletions free quota, and so do a few updates. */
  #monitor(resource: Resource): Informer<ApiObject> {
    const informer = this.#context.informer(resource);
    informer.addIndex(NAMESPACE_INDEX, (object) => [object.metadata.namespace ?? '']);
    informer.addHandler({
      onUpdate: (before, object) => {
        if (freesQuota(resource, before, object)) this.#replenish(resource, object);
      },
      onDelete: (object) => this.#replenish(resource, object),
    });
    return informer;
  }

  #replenish(resource: Resource, object: ApiObject): void {
    const quotas = this.#quotas.byIndex(NAMESPACE_INDEX, object.metadata.namespace ?? '');
    if (quotas.length === 0) return;
    const usage = quotaUsage(resource, object as UntypedObject);
    for (const quota of quotas) if (Object.keys(quota.spec?.hard ?? {}).some((name) => usage.has(name))) this.#queue.add(objectKey(quota));
  }

  *#sync(key: string): Task<ReconcileError> {
    const quota = this.#quotas.get(key);
    if (quota === undefined) return undefined;
    const hard = quota.spec?.hard ?? {};
    const names = Object.keys(hard).sort();
    const used: Record<string, string> = {};
    const totals = this.#count(quota, names);
    for (const name of names) used[name] = formatQuantity(totals.get(name) ?? quantityFromUnits(0));
    if (quota.status !== undefined && sameAmounts(quota.status.hard, hard) && sameAmounts(quota.status.used, used)) return undefined;
    const written = yield* this.#context.client.resource(RESOURCE_QUOTAS).updateStatus({ ...quota, status: { hard, used } });
    return written.ok || isNotFound(written) ? undefined : written;
  }

  #count(quota: ResourceQuota, names: readonly string[]): ReadonlyMap<string, Quantity> {
    const totals = new Map<string, Quantity>();
    const now = this.#context.process.wall();
    for (const resource of this.#counted) {
      const wanted = names.filter((name) => isAbout(name, resource));
      if (wanted.length === 0) continue;
      for (const object of this.#context.informer(resource).byIndex(NAMESPACE_INDEX, quota.metadata.namespace ?? '')) {
        if (!quotaScopesMatch(quota, resource, object as UntypedObject)) continue;
        const usage = quotaUsage(resource, object as UntypedObject);
        const ended = resource.resource === 'pods' && resource.group === '' && !isCharged(object as unknown as Pod, now);
        for (const name of wanted) {
          const amount = usage.get(name);
          if (amount === undefined || (ended && !name.startsWith('count/'))) continue;
          totals.set(name, addQuantity(totals.get(name) ?? quantityFromUnits(0), amount));
        }
      }
    }
    return totals;
  }
}

/** Whether objects of a resource can use what the name stands for. */
function isAbout(name: string, resource: Resource): boolean {
  if (name.startsWith('count/')) return name === `count/${resource.resource}${resource.group === '' ? '' : `.${resource.group}`}`;
  if (resource.group !== '') return false;
  switch (resource.resource) {
    case 'services':
      return name === 'services' || name.startsWith('services.');
    case 'persistentvolumeclaims':
      return name === 'persistentvolumeclaims' || name === 'requests.storage' || name.includes('.storageclass.storage.k8s.io/');
    case 'pods':
      return (
        name === 'pods' ||
        name === 'cpu' ||
        name === 'memory' ||
        name === 'ephemeral-storage' ||
        (/^(requests|limits)\./.test(name) && name !== 'requests.storage')
      );
    default:
      return name === resource.resource;
  }
}

/** Upstream QuotaV1Pod: pods that have ended, or should be gone, use nothing but their count. */
function isCharged(pod: Pod, nowUs: number): boolean {
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return false;
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return true;
  return nowUs <= (parseTime(deletionTimestamp) ?? 0) + deletionGracePeriodSeconds * SECOND;
}

/** Upstream DefaultUpdateFilter: which updates free quota. */
function freesQuota(resource: Resource, before: ApiObject, after: ApiObject): boolean {
  if (resource.group !== '') return false;
  switch (resource.resource) {
    case PODS.resource: {
      const old = before as unknown as Pod;
      const next = after as unknown as Pod;
      const ended = (pod: Pod) => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
      return !ended(old) && ended(next);
    }
    case SERVICES.resource:
      return (before as unknown as Service).spec?.type !== (after as unknown as Service).spec?.type;
    case PERSISTENT_VOLUME_CLAIMS.resource:
      return (before as unknown as PersistentVolumeClaim).spec !== (after as unknown as PersistentVolumeClaim).spec;
    default:
      return false;
  }
}

function sameAmounts(a: { readonly [name: string]: string } | undefined, b: { readonly [name: string]: string } | undefined): boolean {
  const left = a ?? {};
  const right = b ?? {};
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => right[name] !== undefined && quantityOf(left[name]).nano === quantityOf(right[name]).nano)
  );
}
