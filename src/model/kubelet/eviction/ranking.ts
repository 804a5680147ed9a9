import { quantityOf, quantityValue } from '../../api/quantity.ts';
import type { Container, Pod } from '../../api/types.ts';
import { demandOf } from '../admission.ts';
import { keyOf } from '../runtime/machine.ts';

/** What one pod uses of its node. */
export interface PodUsage {
  readonly memoryBytes: number;
  /** By container. */
  readonly containerMemory: ReadonlyMap<string, number>;
  /** Layers, logs and volumes on the disk. */
  readonly diskBytes: number;
  readonly containerDisk: ReadonlyMap<string, number>;
}

type Resource = 'memory' | 'ephemeral-storage';

function requested(pod: Pod, resource: Resource): number {
  const demand = demandOf(pod);
  return resource === 'memory' ? demand.memoryBytes : demand.ephemeralBytes;
}

function used(usage: PodUsage, resource: Resource): number {
  return resource === 'memory' ? usage.memoryBytes : usage.diskBytes;
}

/**
 * Who goes first: pods that use more than they asked for, then those of lower priority, then those that use the most beyond what they asked for.
 * Upstream eviction/helpers.go rankMemoryPressure and rankDiskPressureFunc.
 */
export function rankPods(pods: readonly Pod[], resource: Resource, usageOf: (pod: Pod) => PodUsage): readonly Pod[] {
  const rows = pods.map((pod) => {
    const beyond = used(usageOf(pod), resource) - requested(pod, resource);
    return { pod, exceeds: beyond > 0, priority: pod.spec.priority ?? 0, beyond };
  });
  rows.sort(
    (a, b) =>
      Number(b.exceeds) - Number(a.exceeds) ||
      a.priority - b.priority ||
      b.beyond - a.beyond ||
      // Upstream's sort leaves equal pods in any order.
      (keyOf(a.pod) < keyOf(b.pod) ? -1 : 1),
  );
  return rows.map((row) => row.pod);
}

function requestText(container: Container, resource: Resource): string {
  return container.resources?.requests?.[resource] ?? '0';
}

/** Upstream evictionMessage. */
export function evictionMessage(
  pod: Pod,
  resource: Resource,
  usage: PodUsage,
  threshold: { readonly quantity: string; readonly available: string },
): string {
  let message = `The node was low on resource: ${resource}. Threshold quantity: ${threshold.quantity}, available: ${threshold.available}. `;
  const perContainer = resource === 'memory' ? usage.containerMemory : usage.containerDisk;
  for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
    const bytes = perContainer.get(container.name);
    const request = requestText(container, resource);
    if (bytes === undefined || bytes <= quantityValue(quantityOf(request))) continue;
    message += `Container ${container.name} was using ${bytesText(bytes)}, request is ${request}, has larger consumption of ${resource}. `;
  }
  return message;
}

/** Bytes as Go prints a BinarySI quantity of them. */
export function bytesText(bytes: number): string {
  const units = ['', 'Ki', 'Mi', 'Gi', 'Ti'];
  let value = bytes;
  let unit = 0;
  while (value !== 0 && value % 1024 === 0 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value}${units[unit]}`;
}
