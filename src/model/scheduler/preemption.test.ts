import { describe, expect, it } from 'vitest';
import type { Pod, PodDisruptionBudget } from '../api/types.ts';
import { splitByBudget } from './disruption-budgets.ts';
import { fitErrorMessage } from './fit-error.ts';
import { naturalLog } from './plugins/natural-log.ts';
import { podInfoOf } from './pod-info.ts';
import { type Candidate, pickCandidate } from './preemption.ts';
import { podRequests } from './resources.ts';
import { refusal } from './status.ts';

function victim(name: string, priority: number, startTime = '2026-01-01T00:00:00Z'): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'd', uid: name, labels: { app: name } },
    spec: { containers: [], priority },
    status: { startTime },
  };
}

function candidate(node: string, pods: readonly Pod[], violations = 0): Candidate {
  return { node, victims: pods.map(podInfoOf), violations };
}

describe('choice among nodes to preempt on', () => {
  it('goes by budgets, highest priority, sum, number, then latest start', () => {
    expect(pickCandidate([candidate('a', [victim('x', 1)], 1), candidate('b', [victim('y', 100)])]).node).toBe('b');
    expect(pickCandidate([candidate('a', [victim('x', 5)]), candidate('b', [victim('y', 1), victim('z', 1)])]).node).toBe('b');
    expect(pickCandidate([candidate('a', [victim('x', 5), victim('w', 4)]), candidate('b', [victim('y', 5)])]).node).toBe('b');
    expect(
      pickCandidate([candidate('a', [victim('x', 5, '2026-01-01T00:00:01Z')]), candidate('b', [victim('y', 5, '2026-01-01T00:00:09Z')])])
        .node,
    ).toBe('b');
  });

  it('counts budgets down as victims go', () => {
    const budget: PodDisruptionBudget = {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'b', namespace: 'd' },
      spec: { selector: { matchExpressions: [{ key: 'app', operator: 'Exists' }] } },
      status: { disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 },
    };
    const { violating, others } = splitByBudget([podInfoOf(victim('x', 1)), podInfoOf(victim('y', 1))], [budget]);
    expect([violating.map((info) => info.uid), others.map((info) => info.uid)]).toEqual([['y'], ['x']]);
  });
});

describe('messages and sums', () => {
  it('sorts reasons as text, with their counts', () => {
    const cpu = refusal('NodeResourcesFit', 'Unschedulable', 'Insufficient cpu');
    const taint = refusal('TaintToleration', 'UnschedulableAndUnresolvable', 'node(s) had untolerated taint(s)');
    const byNode = new Map([
      ['a', cpu],
      ['b', taint],
      ['c', taint],
    ]);
    const diagnosis = { nodeCount: 3, byNode, absent: undefined, absentCount: 0, plugins: new Set<string>(), preFilterMessage: '' };
    expect(fitErrorMessage(diagnosis, '')).toBe('0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s).');
  });

  it('adds sidecars to the containers and takes init containers at their largest moment', () => {
    const c = (cpu: string): { readonly name: string; readonly resources: { readonly requests: { readonly cpu: string } } } => ({
      name: 'c',
      resources: { requests: { cpu } },
    });
    const spec = { containers: [c('100m')], initContainers: [{ ...c('50m'), restartPolicy: 'Always' as const }, c('300m')] };
    expect(podRequests(spec, false).milliCpu).toBe(350);
    expect(podRequests({ containers: [{ name: 'c' }] }, true)).toMatchObject({ milliCpu: 100, memoryBytes: 200 * 1024 * 1024 });
  });

  it('computes logarithms as the engine does, to the last digits', () => {
    for (const n of [1, 2, 3, 5, 10, 1000, 5002]) expect(Math.abs(naturalLog(n) - Math.log(n))).toBeLessThan(1e-12);
  });
});
