import type { Task } from '../../../sim/task.ts';
import type { UntypedObject } from '../../api/object.ts';
import {
  addQuantity,
  compareQuantity,
  formatQuantity,
  type Quantity,
  quantityFromUnits,
  quantityOf,
  subtractQuantity,
} from '../../api/quantity.ts';
import { quotaScopesMatch, quotaUsage, type Usage } from '../../api/quota-usage.ts';
import { forbidden } from '../../api/status.ts';
import type { Pod, ResourceQuota } from '../../api/types.ts';
import { trackLoopback } from '../field-tracking.ts';
import { refuse } from '../refusal.ts';
import { guaranteedUpdate, keyOf } from '../resource-store.ts';
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../server-context.ts';
import { cachedAll, kindNamed } from './lookup.ts';

/** ResourceQuota: what a request would use is charged to every matching quota before the object is stored. */
export const resourceQuota: AdmissionPlugin = {
  name: 'ResourceQuota',
  handles: ({ operation, subresource, namespace }) =>
    namespace !== '' && (operation === 'CREATE' || operation === 'UPDATE') && subresource === '',
  *validate(request, server) {
    const quotas = (yield* cachedAll(
      server,
      kindNamed(server, '', 'v1', 'resourcequotas'),
      request.namespace,
    )) as unknown as readonly ResourceQuota[];
    if (quotas.length === 0 || request.object === undefined) return;
    const usage = quotaUsage(request.kind, request.object);
    if (usage.size === 0) return;
    const before = request.oldObject === undefined ? new Map<string, Quantity>() : quotaUsage(request.kind, request.oldObject);
    if (request.operation === 'UPDATE' && request.kind.kind !== 'Service' && request.kind.kind !== 'PersistentVolumeClaim') return;
    const matching = quotas.filter((quota) => quotaScopesMatch(quota, request.kind, request.object as UntypedObject));
    for (const quota of matching) checkSpecified(quota, request);
    for (const quota of matching) yield* charge(server, quota, request, usage, before);
  },
};

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
    const names = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]
      .filter((c) => c.resources?.[which]?.[resource] === undefined)
      .map((c) => c.name);
    if (names.length > 0) missing.push(`${name} for: ${names.sort().join(',')}`);
  }
  if (missing.length > 0)
    refuse(forbidden(request.kind, request.name, `failed quota: ${quota.metadata.name}: must specify ${missing.join('; ')}`));
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
      refuse(
        forbidden(request.kind, request.name, `exceeded quota: ${name}, requested: ${requested}, used: ${usedText}, limited: ${limited}`),
      );
    }
    const changed = names.filter((n) => delta(n).nano !== 0n);
    if (changed.length === 0) return existing as UntypedObject;
    const next: Record<string, string> = { ...used };
    for (const n of changed) next[n] = formatQuantity(addQuantity(quantityOf(used[n]), delta(n)));
    return trackLoopback(
      server,
      kind,
      existing as UntypedObject,
      { ...current, status: { ...current.status, used: next } } as unknown as UntypedObject,
    );
  });
}
