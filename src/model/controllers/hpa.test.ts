import { describe, expect, it } from 'vitest';
import { SECOND } from '../../sim/time.ts';
import type { Pod } from '../api/types.ts';
import { type HpaMemory, downRules, limitByRules, limitPlainly, noteChange, stabilized, upRules } from './hpa-limits.ts';
import { adapterMetric } from './hpa-adapter-metrics.ts';
import { replicasForResource } from './hpa-replicas.ts';

const wall = 1_767_225_700_000_000;
const times = { cpuInitializationUs: 0, initialReadinessUs: 0 };

function pod(name: string): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'c', resources: { requests: { cpu: '100m' } } }] },
    status: {
      phase: 'Running',
      startTime: '2026-01-01T00:00:00Z',
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:01Z' }],
    },
  };
}

function usage(name: string, cpuMilli: number) {
  const containers = [
    { name: 'c', cpuMilli: cpuMilli - 10, memoryBytes: 0 },
    { name: 'sidecar', cpuMilli: 10, memoryBytes: 0 },
  ];
  return { name, cpuMilli, memoryBytes: 0, atWallUs: wall, windowUs: SECOND, containers };
}

describe('replicas by usage', () => {
  const pods = [pod('a'), pod('b'), pod('c')];
  const tolerance = { up: 0.1, down: 0.1 };
  const wanted = (cpu: readonly number[], target = 50): unknown => {
    const metrics = cpu.map((value, i) => usage(['a', 'b', 'c'][i] as string, value));
    const answer = replicasForResource(pods, metrics, { name: 'cpu' }, { utilization: target }, 3, tolerance, times, wall);
    return answer.ok ? answer.replicas : answer.message;
  };

  it('scales with the ratio and leaves small deviations alone', () => {
    expect(wanted([100, 100, 100])).toBe(6);
    expect(wanted([52, 52, 52])).toBe(3);
    expect(wanted([10, 10, 10])).toBe(1);
  });

  it('counts missing pods as idle when growing and as full when shrinking', () => {
    expect(wanted([100, 100])).toBe(4);
    expect(wanted([10, 10])).toBe(3);
  });

  it('needs requests, and pods that have said something', () => {
    expect(wanted([])).toBe('did not receive metrics for targeted pods (pods might be unready)');
  });
});

describe('replicas by the usage of one container', () => {
  const tolerance = { up: 0.1, down: 0.1 };
  const measured = (container: string): unknown =>
    replicasForResource([pod('a')], [usage('a', 110)], { name: 'cpu', container }, { utilization: 50 }, 1, tolerance, times, wall);

  it('count that container alone, in usage and requests', () => {
    expect(measured('c')).toMatchObject({ replicas: 2, utilization: 100, averageValue: 100 });
  });

  it('ask for the requests of that container alone', () => {
    expect(replicasForResource([pod('a')], [usage('a', 110)], { name: 'memory' }, { utilization: 50 }, 1, tolerance, times, wall)).toEqual({
      ok: false,
      message: 'missing request for memory in container c of Pod a',
    });
  });
});

describe('metrics of adapters that a cluster does not have', () => {
  it('fail each with the reason of its type', () => {
    const custom = 'unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered';
    const target = { type: 'AverageValue', averageValue: '5' };
    expect(adapterMetric({ type: 'Pods', pods: { metric: { name: 'rps' }, target } }, 'd')).toEqual({
      ok: false,
      reason: 'FailedGetPodsMetric',
      cause: `unable to get metric rps: ${custom}`,
      message: `failed to get pods metric value: unable to get metric rps: ${custom}`,
    });
    expect(adapterMetric({ type: 'External', external: { metric: { name: 'q' }, target } }, 'd')).toMatchObject({
      reason: 'FailedGetExternalMetric',
      cause:
        'unable to get external metric d/q/nil: unable to fetch metrics from external metrics API: the server could not find the requested resource (get q.external.metrics.k8s.io)',
    });
  });
});

describe('limits of the rate', () => {
  const memory = (): HpaMemory => ({ recommendations: [], ups: [], downs: [] });

  it('without behavior, at most doubles, or four', () => {
    expect(limitPlainly(20, 1, 1, 20)).toMatchObject({ replicas: 4, reason: 'ScaleUpLimit' });
    expect(limitPlainly(20, 12, 1, 20)).toMatchObject({ replicas: 20, reason: 'DesiredWithinRange' });
    expect(limitPlainly(0, 3, 2, 20)).toMatchObject({ replicas: 2, reason: 'TooFewReplicas' });
  });

  it('by policies, counts what changed within their period', () => {
    const m = memory();
    const up = upRules({ policies: [{ type: 'Pods', value: 2, periodSeconds: 15 }] });
    const down = downRules(undefined, 0);
    expect(limitByRules(m, up, down, 10, 1, 1, 10, 0).replicas).toBe(3);
    noteChange(m, 1, 3, 0);
    expect(limitByRules(m, up, down, 10, 3, 1, 10, 10 * SECOND).replicas).toBe(3);
    expect(limitByRules(m, up, down, 10, 3, 1, 10, 16 * SECOND).replicas).toBe(5);
    expect(limitByRules(m, up, downRules({ selectPolicy: 'Disabled' }, 0), 1, 3, 1, 10, 0).replicas).toBe(3);
  });

  it('waits for the window before it follows a lower wish', () => {
    const m = memory();
    expect(stabilized(m, 8, 8, 0, 20 * SECOND, 1)).toBe(8);
    expect(stabilized(m, 2, 8, 0, 20 * SECOND, 10 * SECOND)).toBe(8);
    expect(stabilized(m, 2, 8, 0, 20 * SECOND, 25 * SECOND)).toBe(2);
  });
});
