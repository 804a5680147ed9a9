import { describe, expect, it } from 'vitest';
import type { Pod } from '../../api/types.ts';
import { bytesText, evictionMessage, type PodUsage, rankPods } from './ranking.ts';

const MIB = 1_048_576;

function pod(name: string, requestMib: number, priority = 0): Pod {
  const resources = requestMib === 0 ? {} : { resources: { requests: { memory: `${requestMib}Mi` } } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { priority, containers: [{ name: 'c', ...resources }] },
  };
}

function usage(mib: number): PodUsage {
  return { memoryBytes: mib * MIB, containerMemory: new Map([['c', mib * MIB]]), diskBytes: 0, containerDisk: new Map() };
}

describe('the order of eviction (docs: Node-pressure Eviction, "Pod selection for kubelet eviction")', () => {
  const names = (pods: readonly Pod[], used: Readonly<Record<string, number>>) =>
    rankPods(pods, 'memory', (one) => usage(used[one.metadata.name ?? ''] ?? 0)).map((one) => one.metadata.name);

  it('takes pods beyond their requests before those within, whatever their priority', () => {
    expect(names([pod('within', 64), pod('beyond', 16, 1000)], { within: 60, beyond: 17 })).toEqual(['beyond', 'within']);
  });

  it('takes lower priority before higher among those beyond their requests', () => {
    expect(names([pod('high', 0, 10), pod('low', 0, 1)], { high: 500, low: 1 })).toEqual(['low', 'high']);
  });

  it('takes the largest excess first, not the largest use', () => {
    expect(names([pod('big', 900), pod('greedy', 10)], { big: 1000, greedy: 300 })).toEqual(['greedy', 'big']);
  });
});

describe('the message', () => {
  it('names the containers beyond their requests only', () => {
    const threshold = { quantity: '100Mi', available: bytesText(90 * MIB) };
    expect(evictionMessage(pod('a', 16), 'memory', usage(17), threshold)).toBe(
      'The node was low on resource: memory. Threshold quantity: 100Mi, available: 90Mi. Container c was using 17Mi, request is 16Mi, has larger consumption of memory. ',
    );
    expect(evictionMessage(pod('a', 16), 'memory', usage(16), threshold)).toBe(
      'The node was low on resource: memory. Threshold quantity: 100Mi, available: 90Mi. ',
    );
  });

  it('writes bytes in the largest unit that has no fraction', () => {
    expect([0, 1023, 1024, 1536 * 1024, 2 * 1024 ** 3].map(bytesText)).toEqual(['0', '1023', '1Ki', '1536Ki', '2Gi']);
  });
});
