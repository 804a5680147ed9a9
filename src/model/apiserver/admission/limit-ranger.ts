import type { UntypedObject } from '../../api/object.ts';
import { addQuantity, compareQuantity, formatQuantity, type Quantity, quantityMilliValue, quantityOf } from '../../api/quantity.ts';
import { forbidden } from '../../api/status.ts';
import type { Container, LimitRange, LimitRangeItem, PersistentVolumeClaim, Pod } from '../../api/types.ts';
import { refuse } from '../refusal.ts';
import type { AdmissionPlugin } from '../server-context.ts';
import { cachedAll, kindNamed } from './lookup.ts';

type Amounts = Readonly<Record<string, string>> | undefined;

/** LimitRanger: a namespace's defaults and bounds of containers, pods and claims. */
export const limitRanger: AdmissionPlugin = {
  name: 'LimitRanger',
  handles: ({ kind, operation, subresource }) =>
    subresource === '' &&
    ((kind.kind === 'Pod' && operation === 'CREATE') ||
      (kind.kind === 'PersistentVolumeClaim' && (operation === 'CREATE' || operation === 'UPDATE'))),
  *admit({ object, kind, namespace }, server) {
    if (kind.kind !== 'Pod' || object === undefined) return object;
    const ranges = (yield* cachedAll(server, kindNamed(server, '', 'v1', 'limitranges'), namespace)) as unknown as readonly LimitRange[];
    let pod = object as unknown as Pod;
    for (const range of ranges) pod = withDefaults(pod, range);
    return pod as unknown as UntypedObject;
  },
  *validate({ object, kind, name, namespace }, server) {
    if (object === undefined) return;
    const ranges = (yield* cachedAll(server, kindNamed(server, '', 'v1', 'limitranges'), namespace)) as unknown as readonly LimitRange[];
    for (const range of ranges) {
      const errors =
        kind.kind === 'Pod' ? podErrors(object as unknown as Pod, range) : claimErrors(object as unknown as PersistentVolumeClaim, range);
      if (errors.length > 0) refuse(forbidden(kind, name, errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]`));
    }
  },
};

/** Defaults of all Container items, the last one winning as upstream's map does. */
function withDefaults(pod: Pod, range: LimitRange): Pod {
  const limits: Record<string, string> = {};
  const requests: Record<string, string> = {};
  for (const item of range.spec?.limits ?? []) {
    if (item.type !== 'Container') continue;
    Object.assign(requests, item.defaultRequest);
    Object.assign(limits, item.default);
  }
  const notes: string[] = [];
  const fill = (container: Container, what: string): Container => {
    const setRequests = missing(container.resources?.requests, requests);
    const setLimits = missing(container.resources?.limits, limits);
    if (setRequests.length > 0) notes.push(`${setRequests.join(', ')} request for ${what} ${container.name}`);
    if (setLimits.length > 0) notes.push(`${setLimits.join(', ')} limit for ${what} ${container.name}`);
    if (setRequests.length === 0 && setLimits.length === 0) return container;
    return {
      ...container,
      resources: {
        ...container.resources,
        ...(setRequests.length > 0 ? { requests: { ...requests, ...container.resources?.requests } } : {}),
        ...(setLimits.length > 0 ? { limits: { ...limits, ...container.resources?.limits } } : {}),
      },
    };
  };
  const containers = pod.spec.containers.map((container) => fill(container, 'container'));
  const initContainers = pod.spec.initContainers?.map((container) => fill(container, 'init container'));
  if (notes.length === 0) return pod;
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      annotations: { ...pod.metadata.annotations, 'kubernetes.io/limit-ranger': `LimitRanger plugin set: ${notes.join('; ')}` },
    },
    spec: { ...pod.spec, containers, ...(initContainers === undefined ? {} : { initContainers }) },
  };
}

function missing(given: Amounts, defaults: Amounts): readonly string[] {
  return Object.keys(defaults ?? {})
    .filter((name) => given?.[name] === undefined)
    .sort();
}

function podErrors(pod: Pod, range: LimitRange): readonly string[] {
  const errors: string[] = [];
  for (const item of range.spec?.limits ?? []) {
    if (item.type === 'Container') {
      for (const container of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]) {
        errors.push(...boundErrors(item, container.resources?.requests, container.resources?.limits, 'Container'));
      }
    } else if (item.type === 'Pod') errors.push(...boundErrors(item, podTotal(pod, 'requests'), podTotal(pod, 'limits'), 'Pod'));
  }
  return errors;
}

/** Sum over containers, or the largest init container where that is more. */
function podTotal(pod: Pod, which: 'requests' | 'limits'): Readonly<Record<string, string>> {
  const total = new Map<string, Quantity>();
  for (const container of pod.spec.containers) {
    for (const [name, text] of Object.entries(container.resources?.[which] ?? {})) {
      const before = total.get(name);
      total.set(name, before === undefined ? quantityOf(text) : addQuantity(before, quantityOf(text)));
    }
  }
  for (const container of pod.spec.initContainers ?? []) {
    for (const [name, text] of Object.entries(container.resources?.[which] ?? {})) {
      const amount = quantityOf(text);
      const before = total.get(name);
      if (before === undefined || compareQuantity(amount, before) > 0) total.set(name, amount);
    }
  }
  return Object.fromEntries([...total].map(([name, amount]) => [name, formatQuantity(amount)]));
}

/** One item's bounds: minima, maxima, ratios, each by resource name. */
function boundErrors(item: LimitRangeItem, requests: Amounts, limits: Amounts, type: string): readonly string[] {
  const errors: string[] = [];
  const names = (amounts: Amounts): readonly string[] => Object.keys(amounts ?? {}).sort();
  for (const name of names(item.min)) {
    const bound = item.min?.[name] ?? '0';
    const request = requests?.[name];
    const limit = limits?.[name];
    if (request === undefined) errors.push(`minimum ${name} usage per ${type} is ${bound}.  No request is specified`);
    else if (compareQuantity(quantityOf(request), quantityOf(bound)) < 0)
      errors.push(`minimum ${name} usage per ${type} is ${bound}, but request is ${request}`);
    else if (limit !== undefined && compareQuantity(quantityOf(limit), quantityOf(bound)) < 0)
      errors.push(`minimum ${name} usage per ${type} is ${bound}, but limit is ${limit}`);
  }
  for (const name of names(item.max)) {
    const bound = item.max?.[name] ?? '0';
    const limit = limits?.[name];
    const request = requests?.[name];
    if (limit === undefined) errors.push(`maximum ${name} usage per ${type} is ${bound}.  No limit is specified`);
    else if (compareQuantity(quantityOf(limit), quantityOf(bound)) > 0)
      errors.push(`maximum ${name} usage per ${type} is ${bound}, but limit is ${limit}`);
    else if (request !== undefined && compareQuantity(quantityOf(request), quantityOf(bound)) > 0)
      errors.push(`maximum ${name} usage per ${type} is ${bound}, but request is ${request}`);
  }
  for (const name of names(item.maxLimitRequestRatio)) {
    const bound = item.maxLimitRequestRatio?.[name] ?? '0';
    const limit = limits?.[name];
    const request = requests?.[name];
    if (limit === undefined || request === undefined) {
      errors.push(
        `${name} max limit to request ratio per ${type} is ${bound}, but no ${request === undefined ? 'request' : 'limit'} is specified or ${request === undefined ? 'request' : 'limit'} is 0`,
      );
      continue;
    }
    const ratio = quantityMilliValue(quantityOf(limit)) / quantityMilliValue(quantityOf(request));
    if (ratio * 1000 > quantityMilliValue(quantityOf(bound)))
      errors.push(`${name} max limit to request ratio per ${type} is ${bound}, but provided ratio is ${ratio.toFixed(6)}`);
  }
  return errors;
}

function claimErrors(claim: PersistentVolumeClaim, range: LimitRange): readonly string[] {
  const errors: string[] = [];
  for (const item of range.spec?.limits ?? []) {
    if (item.type !== 'PersistentVolumeClaim') continue;
    const requests = claim.spec.resources?.requests;
    for (const [name, bound] of Object.entries(item.min ?? {})) {
      const request = requests?.[name] ?? '0';
      if (compareQuantity(quantityOf(request), quantityOf(bound)) < 0)
        errors.push(`minimum ${name} usage per PersistentVolumeClaim is ${bound}, but request is ${request}`);
    }
    for (const [name, bound] of Object.entries(item.max ?? {})) {
      const request = requests?.[name] ?? '0';
      if (compareQuantity(quantityOf(request), quantityOf(bound)) > 0)
        errors.push(`maximum ${name} usage per PersistentVolumeClaim is ${bound}, but request is ${request}`);
    }
  }
  return errors;
}
