import { type Quantity, parseQuantity, quantityMilliValue, quantityValue } from '../api/quantity.ts';
import type { Container, PodSpec } from '../api/types.ts';

/** Amounts the scheduler counts: upstream framework.Resource. */
export interface Resource {
  milliCpu: number;
  memoryBytes: number;
  ephemeralBytes: number;
  /** Extended and other resources by name, in whole units. */
  readonly scalars: Map<string, number>;
}

type ResourceList = { readonly [name: string]: string } | undefined;

/** Requests assumed for scoring where a container states none: upstream pkg/scheduler/util/pod_resources.go. */
const defaultMilliCpuRequest = 100;
const defaultMemoryRequestBytes = 200 * 1024 * 1024;

export function emptyResource(): Resource {
  return { milliCpu: 0, memoryBytes: 0, ephemeralBytes: 0, scalars: new Map() };
}

export function isZeroResource(resource: Resource): boolean {
  return resource.milliCpu === 0 && resource.memoryBytes === 0 && resource.ephemeralBytes === 0 && resource.scalars.size === 0;
}

/** Adds `sign` times `amount` to `target`. */
export function accumulate(target: Resource, amount: Resource, sign: 1 | -1): void {
  target.milliCpu += sign * amount.milliCpu;
  target.memoryBytes += sign * amount.memoryBytes;
  target.ephemeralBytes += sign * amount.ephemeralBytes;
  for (const [name, value] of amount.scalars) target.scalars.set(name, (target.scalars.get(name) ?? 0) + sign * value);
}

function raiseTo(target: Resource, amount: Resource): void {
  target.milliCpu = Math.max(target.milliCpu, amount.milliCpu);
  target.memoryBytes = Math.max(target.memoryBytes, amount.memoryBytes);
  target.ephemeralBytes = Math.max(target.ephemeralBytes, amount.ephemeralBytes);
  for (const [name, value] of amount.scalars) target.scalars.set(name, Math.max(target.scalars.get(name) ?? 0, value));
}

/** Whether the scheduler counts a resource that is neither cpu, memory nor ephemeral-storage: upstream schedutil.IsScalarResourceName. */
function isScalarName(name: string): boolean {
  if (name.startsWith('hugepages-') || name.startsWith('attachable-volumes-')) return true;
  return name.includes('/') && !name.startsWith('requests.');
}

function quantity(text: string): Quantity {
  const answer = parseQuantity(text);
  return typeof answer === 'string' ? { nano: 0n, format: 'DecimalSI' } : answer;
}

/** A ResourceList of the API as amounts. `pods` is not part of it. */
export function resourceFromList(list: ResourceList): Resource {
  const resource = emptyResource();
  if (list === undefined) return resource;
  for (const name of Object.keys(list)) {
    const text = list[name] as string;
    if (name === 'cpu') resource.milliCpu += quantityMilliValue(quantity(text));
    else if (name === 'memory') resource.memoryBytes += quantityValue(quantity(text));
    else if (name === 'ephemeral-storage') resource.ephemeralBytes += quantityValue(quantity(text));
    else if (isScalarName(name)) resource.scalars.set(name, quantityValue(quantity(text)));
  }
  return resource;
}

/** The number of pods that a node's allocatable allows. */
export function allowedPods(list: ResourceList): number {
  const text = list?.pods;
  return text === undefined ? 0 : quantityValue(quantity(text));
}

function containerRequests(container: Container, withDefaults: boolean): Resource {
  const list = container.resources?.requests;
  const resource = resourceFromList(list);
  if (withDefaults) {
    if (list === undefined || !Object.hasOwn(list, 'cpu')) resource.milliCpu = defaultMilliCpuRequest;
    if (list === undefined || !Object.hasOwn(list, 'memory')) resource.memoryBytes = defaultMemoryRequestBytes;
  }
  return resource;
}

/**
 * What a pod asks of its node: the sum of its containers and sidecars, or the largest moment of its init containers if that is more,
 * plus overhead; requests of the whole pod (KEP-2837) take the place of the sum. Upstream component-helpers/resource PodRequests.
 */
export function podRequests(spec: PodSpec, withDefaults: boolean): Resource {
  const total = emptyResource();
  for (const container of spec.containers) accumulate(total, containerRequests(container, withDefaults), 1);
  const sidecars = emptyResource();
  const initMax = emptyResource();
  for (const container of spec.initContainers ?? []) {
    const requests = containerRequests(container, withDefaults);
    if (container.restartPolicy === 'Always') {
      accumulate(total, requests, 1);
      accumulate(sidecars, requests, 1);
      raiseTo(initMax, sidecars);
    } else {
      accumulate(requests, sidecars, 1);
      raiseTo(initMax, requests);
    }
  }
  raiseTo(total, initMax);
  const whole = spec.resources?.requests;
  if (whole !== undefined) {
    const requests = resourceFromList(whole);
    if (Object.hasOwn(whole, 'cpu')) total.milliCpu = requests.milliCpu;
    if (Object.hasOwn(whole, 'memory')) total.memoryBytes = requests.memoryBytes;
  }
  if (spec.overhead !== undefined) accumulate(total, resourceFromList(spec.overhead), 1);
  for (const [name, value] of total.scalars) if (value === 0) total.scalars.delete(name);
  return total;
}
