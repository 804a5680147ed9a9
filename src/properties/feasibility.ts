import { condition, field, isTerminal, list, text } from './fields.ts';
import type { StoredObject } from './property.ts';

/**
 * How many pods of a Deployment the nodes can hold beside everything that is bound: an upper bound that knows requests, pod limits, plain
 * node selectors and NoSchedule taints, and nothing of how the scheduler decides.
 */
export function podsThatFit(deployment: object, running: number, nodes: readonly StoredObject[], pods: readonly StoredObject[]): number {
  const template = field(deployment, 'spec', 'template', 'spec');
  const need = requestsOf(template);
  const tolerations = list(template, 'tolerations');
  let fit = running;
  for (const node of nodes) {
    if (condition(node.object, 'Ready') !== 'True' || field(node.object, 'spec', 'unschedulable') === true) continue;
    const taints = list(node.object, 'spec', 'taints').filter((taint) => text(taint, 'effect') !== 'PreferNoSchedule');
    if (taints.some((taint) => !tolerations.some((toleration) => tolerates(toleration, taint)))) continue;
    const selector = field(template, 'nodeSelector');
    if (
      typeof selector === 'object' &&
      selector !== null &&
      !Object.entries(selector).every(([k, v]) => field(node.object, 'metadata', 'labels', k) === v)
    )
      continue;
    const bound = pods.filter((pod) => text(pod.object, 'spec', 'nodeName') === node.name && !isTerminal(pod.object));
    const used = bound.map((pod) => requestsOf(field(pod.object, 'spec')));
    const cpu = milli(text(node.object, 'status', 'allocatable', 'cpu')) - used.reduce((sum, r) => sum + r.cpuMilli, 0);
    const memory = bytes(text(node.object, 'status', 'allocatable', 'memory')) - used.reduce((sum, r) => sum + r.memoryBytes, 0);
    let free = Number.parseInt(text(node.object, 'status', 'allocatable', 'pods') || '110', 10) - bound.length;
    if (need.cpuMilli > 0) free = Math.min(free, Math.floor(cpu / need.cpuMilli));
    if (need.memoryBytes > 0) free = Math.min(free, Math.floor(memory / need.memoryBytes));
    fit += Math.max(0, free);
  }
  return fit;
}

/** What the containers of a pod ask for together. */
export function requestsOf(podSpec: unknown): { readonly cpuMilli: number; readonly memoryBytes: number } {
  let cpuMilli = 0;
  let memoryBytes = 0;
  for (const container of list(podSpec, 'containers')) {
    cpuMilli += milli(text(container, 'resources', 'requests', 'cpu'));
    memoryBytes += bytes(text(container, 'resources', 'requests', 'memory'));
  }
  return { cpuMilli, memoryBytes };
}

function tolerates(toleration: unknown, taint: unknown): boolean {
  const key = text(toleration, 'key');
  const effect = text(toleration, 'effect');
  if (effect !== '' && effect !== text(taint, 'effect')) return false;
  if (key === '') return text(toleration, 'operator') === 'Exists';
  return key === text(taint, 'key') && (text(toleration, 'operator') === 'Exists' || text(toleration, 'value') === text(taint, 'value'));
}

function milli(quantity: string): number {
  if (quantity === '') return 0;
  return quantity.endsWith('m') ? Number.parseInt(quantity, 10) : Math.round(Number.parseFloat(quantity) * 1000);
}

const UNITS: Readonly<Record<string, number>> = { Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3, Ti: 1024 ** 4, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

function bytes(quantity: string): number {
  const match = /^([0-9.]+)([A-Za-z]*)$/.exec(quantity);
  return match === null ? 0 : Math.round(Number.parseFloat(match[1] ?? '0') * (UNITS[match[2] ?? ''] ?? 1));
}
