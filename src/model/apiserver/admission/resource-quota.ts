import type { Task } from '../../../sim/task.ts';
import type { UntypedObject } from '../../api/object.ts';
import { addQuantity, compareQuantity, formatQuantity, type Quantity, quantityFromUnits, quantityOf, subtractQuantity } from '../../api/quantity.ts';
import { forbidden } from '../../api/status.ts';
import type { Container, PersistentVolumeClaim, Pod, ResourceQuota, Service } from '../../api/types.ts';
import { refuse } from '../refusal.ts';
import { guaranteedUpdate, keyOf } from '../resource-store.ts';
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../server-context.ts';
import { cachedAll, kindNamed } from './lookup.ts';

type Usage = ReadonlyMap<string, Quantity>;
const one = quantityFromUnits(1);

/** ResourceQuota: what a request would use is charged to every matching quota before the object is stored. */
export const resourceQuota: AdmissionPlugin = {
  name: 'ResourceQuota',
  handles: ({ operation, subresource, namespace }) => namespace !== '' && (operation === 'CREATE' || operation === 'UPDATE') && subresource === '',
  *validate(request, server) {
    const quotas = (yield* cachedAll(server, kindNamed(server, '', 'v1', 'resourcequotas'), request.namespace)) as unknown as readonly ResourceQuota[];
    if (quotas.length === 0 || request.object === undefined) return;
    const usage = usageOf(request, request.object);
    if (usage.size === 0) return;
    const before = request.oldObject === undefined ? new Map<string, Quantity>() : usageOf(request, request.oldObject);
    if (request.operation === 'UPDATE' && request.kind.kind !== 'Service' && request.kind.kind !== 'PersistentVolumeClaim') return;
    const matching = quotas.filter((quota) => scopesMatch(quota, request));
    for (const quota of matching) checkSpecified(quota, request);
    for (const quota of matching) yield* charge(server, quota, request, usage, before);
  },
};

/** What an object uses, by the names that a quota may limit. */
function usageOf(request: AdmissionRequest, object: UntypedObject): Usage {
  const { kind } = request;
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
      for (const [name, text] of Object.entries(container.resources?.[which] ?? {})) totals.set(name, addQuantity(totals.get(name) ?? quantityFromUnits(0), quantityOf(text)));
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
  if (type === 'NodePort' || (type === 'LoadBalancer' && service.spec?.allocateLoadBalancerNodePorts !== false)) usage.set('services.nodeports', ports);
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

function scopesMatch(quota: ResourceQuota, request: AdmissionRequest): boolean {
  const scopes = quota.spec?.scopes ?? [];
  const expressions = quota.spec?.scopeSelector?.matchExpressions ?? [];
  if (scopes.length === 0 && expressions.length === 0) return true;
  if (request.kind.kind !== 'Pod') return false;
  const pod = request.object as unknown as Pod;
  return scopes.every((scope) => inScope(pod, scope)) && expressions.every((e) => (e.scopeName === 'PriorityClass' ? priorityMatches(pod, e.operator, e.values ?? []) : inScope(pod, e.scopeName)));
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

const computeNames: Readonly<Record<string, readonly ['requests' | 'limits', string]>> = {
  cpu: ['requests', 'cpu'],
  memory: ['requests', 'memory'],
  'requests.cpu': ['requests', 'cpu'],
  'requests.memory': ['requests', 'memory'],
  'limits.cpu': ['limits', 'cpu'],
  'limits.memory': ['limits', 'memory'],
};

/** A quota on compute resources demands that every container states them. */
function checkSpecified(quota: ResourceQuota, request: AdmissionRequest): void {
  if (request.kind.kind !== 'Pod') return;
  const pod = request.object as unknown as Pod;
  const missing: string[] = [];
  for (const name of Object.keys(quota.status?.hard ?? {}).sort()) {
    const rule = computeNames[name];
    if (rule === undefined) continue;
    const [which, resource] = rule;
    const names = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].filter((c) => c.resources?.[which]?.[resource] === undefined).map((c) => c.name);
    if (names.length > 0) missing.push(`${name} for: ${names.sort().join(',')}`);
  }
  if (missing.length > 0) refuse(forbidden(request.kind, request.name, `failed quota: ${quota.metadata.name}: must specify ${missing.join('; ')}`));
}

function listText(names: readonly string[], amount: (name: string) => string): string {
  return names.map((name) => `${name}=${amount(name)}`).join(',');
}

function* charge(server: ServerContext, quota: ResourceQuota, request: AdmissionRequest, usage: Usage, before: Usage): Task<void> {
  const kind = kindNamed(server, '', 'v1', 'resourcequotas');
  const name = quota.metadata.name ?? '';
  const key = keyOf(kind, request.namespace, name);
  yield* guaranteedUpdate(server, { kind, key, name, dryRun: request.dryRun }, function* (existing) {
    const current = existing as unknown as ResourceQuota;
    const hard = current.status?.hard ?? {};
    const used = current.status?.used ?? {};
    const names = Object.keys(hard)
      .filter((n) => usage.has(n) && used[n] !== undefined)
      .sort();
    const delta = (n: string): Quantity => subtractQuantity(usage.get(n) ?? quantityFromUnits(0), before.get(n) ?? quantityFromUnits(0));
    const grown = names.filter((n) => delta(n).nano > 0n);
    const exceeded = grown.filter((n) => compareQuantity(addQuantity(quantityOf(used[n]), delta(n)), quantityOf(hard[n])) > 0);
    if (exceeded.length > 0) {
      const requested = listText(exceeded, (n) => formatQuantity(delta(n)));
      const usedText = listText(exceeded, (n) => used[n] ?? '0');
      const limited = listText(exceeded, (n) => hard[n] ?? '0');
      refuse(forbidden(request.kind, request.name, `exceeded quota: ${name}, requested: ${requested}, used: ${usedText}, limited: ${limited}`));
    }
    const changed = names.filter((n) => delta(n).nano !== 0n);
    if (changed.length === 0) return existing as UntypedObject;
    const next: Record<string, string> = { ...used };
    for (const n of changed) next[n] = formatQuantity(addQuantity(quantityOf(used[n]), delta(n)));
    return { ...current, status: { ...current.status, used: next } } as unknown as UntypedObject;
  });
}
