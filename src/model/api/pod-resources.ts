import { addQuantity, compareQuantity, type Quantity, quantityOf } from './quantity.ts';
import type { Pod, PodSpec, ResourceRequirements } from './types.ts';

/** What a pod asks for as a whole. Upstream: k8s.io/component-helpers/resource and pkg/apis/core/helper/qos. */
export type Quantities = Readonly<Record<string, Quantity>>;
type ResourceList = ResourceRequirements['requests'];

function add(into: Record<string, Quantity>, list: ResourceList): void {
  if (list === undefined) return;
  for (const name of Object.keys(list)) addOne(into, name, quantityOf(list[name]));
}

function addOne(into: Record<string, Quantity>, name: string, quantity: Quantity): void {
  const known = into[name];
  into[name] = known === undefined ? quantity : addQuantity(known, quantity);
}

/** AggregateContainerRequests: containers and sidecars side by side, other init containers one after the other. */
export function aggregateContainerRequests(spec: PodSpec): Quantities {
  const total: Record<string, Quantity> = {};
  for (const container of spec.containers ?? []) add(total, container.resources?.requests);
  if (spec.initContainers === undefined) return total;
  const sidecars: Record<string, Quantity> = {};
  const peaks: Record<string, Quantity> = {};
  for (const container of spec.initContainers) {
    let use: Record<string, Quantity> = sidecars;
    if (container.restartPolicy === 'Always') {
      add(total, container.resources?.requests);
      add(sidecars, container.resources?.requests);
    } else {
      use = { ...sidecars };
      add(use, container.resources?.requests);
    }
    for (const name of Object.keys(use)) raise(peaks, name, use[name]);
  }
  for (const name of Object.keys(peaks)) raise(total, name, peaks[name]);
  return total;
}

function raise(into: Record<string, Quantity>, name: string, quantity: Quantity | undefined): void {
  const known = into[name];
  if (quantity !== undefined && (known === undefined || compareQuantity(quantity, known) > 0)) into[name] = quantity;
}

/** ComputePodQOS: only cpu and memory count; pod-level requirements outrank the containers'. */
export function podQosClass(spec: PodSpec): NonNullable<NonNullable<Pod['status']>['qosClass']> {
  const requests: Record<string, Quantity> = {};
  const limits: Record<string, Quantity> = {};
  let guaranteed = true;
  const count = (resources: ResourceRequirements | undefined): void => {
    let limited = 0;
    if (resources !== undefined) {
      for (const name of ['cpu', 'memory']) {
        const request = quantityOf(resources.requests?.[name]);
        const limit = quantityOf(resources.limits?.[name]);
        if (request.nano > 0n) addOne(requests, name, request);
        if (limit.nano > 0n) {
          limited++;
          addOne(limits, name, limit);
        }
      }
    }
    if (limited < 2) guaranteed = false;
  };
  if (spec.resources !== undefined) count(spec.resources);
  else {
    for (const container of spec.containers ?? []) count(container.resources);
    for (const container of spec.initContainers ?? []) count(container.resources);
  }
  const requested = Object.keys(requests);
  if (requested.length === 0 && Object.keys(limits).length === 0) return 'BestEffort';
  if (guaranteed && requested.length === Object.keys(limits).length) {
    if (requested.every((name) => limits[name]?.nano === requests[name]?.nano)) return 'Guaranteed';
  }
  return 'Burstable';
}
