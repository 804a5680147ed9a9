import { addQuantity, compareQuantity, type Quantity, quantityFromUnits, quantityOf } from './quantity.ts';
import type { UntypedObject } from './object.ts';
import type { Container, PersistentVolumeClaim, Pod, ResourceQuota, Service } from './types.ts';

/** Amounts by the names that a quota may limit: 'pods', 'requests.cpu', 'count/deployments.apps'. */
export type Usage = ReadonlyMap<string, Quantity>;

/** Which kind an object that is counted has. */
export interface QuotaKind {
  readonly group: string;
  readonly resource: string;
  readonly kind: string;
}

const one = quantityFromUnits(1);

/** What an object uses, by the names that a quota may limit. */
export function quotaUsage(kind: QuotaKind, object: UntypedObject): Usage {
  const usage = new Map<string, Quantity>();
  usage.set(`count/${kind.resource}${kind.group === '' ? '' : `.${kind.group}`}`, one);
  switch (kind.kind) {
    case 'Pod':
      podUsage(object as unknown as Pod, usage);
      break;
    case 'Service':
      serviceUsage(object as unknown as Service, usage);
      break;
    case 'PersistentVolumeClaim':
      claimUsage(object as unknown as PersistentVolumeClaim, usage);
      break;
    case 'ConfigMap':
    case 'Secret':
    case 'ReplicationController':
    case 'ResourceQuota':
      usage.set(kind.resource, one);
      break;
  }
  return usage;
}

function podUsage(pod: Pod, usage: Map<string, Quantity>): void {
  usage.set('pods', one);
  const add = (prefix: string, which: 'requests' | 'limits'): void => {
    const totals = new Map<string, Quantity>();
    for (const container of pod.spec.containers) {
      for (const [name, text] of Object.entries(container.resources?.[which] ?? {}))
        totals.set(name, addQuantity(totals.get(name) ?? quantityFromUnits(0), quantityOf(text)));
    }
    for (const container of pod.spec.initContainers ?? []) {
      for (const [name, text] of Object.entries(container.resources?.[which] ?? {})) {
        const before = totals.get(name);
        if (before === undefined || compareQuantity(quantityOf(text), before) > 0) totals.set(name, quantityOf(text));
      }
    }
    for (const [name, amount] of totals) {
      usage.set(`${prefix}.${name}`, amount);
      if (which === 'requests' && ['cpu', 'memory', 'ephemeral-storage'].includes(name)) usage.set(name, amount);
    }
  };
  add('requests', 'requests');
  add('limits', 'limits');
}

function serviceUsage(service: Service, usage: Map<string, Quantity>): void {
  usage.set('services', one);
  const ports = quantityFromUnits(service.spec?.ports?.length ?? 0);
  const { type } = service.spec ?? {};
  if (type === 'NodePort' || (type === 'LoadBalancer' && service.spec?.allocateLoadBalancerNodePorts !== false))
    usage.set('services.nodeports', ports);
  if (type === 'LoadBalancer') usage.set('services.loadbalancers', one);
}

function claimUsage(claim: PersistentVolumeClaim, usage: Map<string, Quantity>): void {
  usage.set('persistentvolumeclaims', one);
  const storage = claim.spec.resources?.requests?.['storage'];
  const { storageClassName } = claim.spec;
  if (storage !== undefined) usage.set('requests.storage', quantityOf(storage));
  if (storageClassName === undefined || storageClassName === '') return;
  usage.set(`${storageClassName}.storageclass.storage.k8s.io/persistentvolumeclaims`, one);
  if (storage !== undefined) usage.set(`${storageClassName}.storageclass.storage.k8s.io/requests.storage`, quantityOf(storage));
}

/** Whether a quota's scopes take the object in. Scopes are about pods only. */
export function quotaScopesMatch(quota: ResourceQuota, kind: QuotaKind, object: UntypedObject): boolean {
  const scopes = quota.spec?.scopes ?? [];
  const expressions = quota.spec?.scopeSelector?.matchExpressions ?? [];
  if (scopes.length === 0 && expressions.length === 0) return true;
  if (kind.kind !== 'Pod') return false;
  const pod = object as unknown as Pod;
  return (
    scopes.every((scope) => inScope(pod, scope)) &&
    expressions.every((e) =>
      e.scopeName === 'PriorityClass' ? priorityMatches(pod, e.operator, e.values ?? []) : inScope(pod, e.scopeName),
    )
  );
}

function inScope(pod: Pod, scope: string): boolean {
  switch (scope) {
    case 'BestEffort':
      return isBestEffort(pod);
    case 'NotBestEffort':
      return !isBestEffort(pod);
    case 'Terminating':
      return pod.spec.activeDeadlineSeconds !== undefined;
    case 'NotTerminating':
      return pod.spec.activeDeadlineSeconds === undefined;
    default:
      return false;
  }
}

function isBestEffort(pod: Pod): boolean {
  const asks = (container: Container): boolean =>
    Object.keys(container.resources?.requests ?? {}).length + Object.keys(container.resources?.limits ?? {}).length > 0;
  return !pod.spec.containers.some(asks) && !(pod.spec.initContainers ?? []).some(asks);
}

function priorityMatches(pod: Pod, operator: string, values: readonly string[]): boolean {
  const name = pod.spec.priorityClassName ?? '';
  switch (operator) {
    case 'In':
      return values.includes(name);
    case 'NotIn':
      return !values.includes(name);
    case 'Exists':
      return name !== '';
    case 'DoesNotExist':
      return name === '';
    default:
      return false;
  }
}
