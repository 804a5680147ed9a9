import { describe, expect, it } from 'vitest';
import type { UntypedObject } from '../object.ts';
import { inVersion } from './conversion.ts';

describe('versions of one kind', () => {
  it('events keep all they say', () => {
    const event: UntypedObject = {
      kind: 'Event',
      apiVersion: 'v1',
      metadata: { name: 'e', namespace: 't' },
      involvedObject: { kind: 'Pod', name: 'a' },
      reason: 'Started',
      message: 'Started container',
      source: { component: 'kubelet' },
      firstTimestamp: '2024-01-02T03:04:05Z',
      lastTimestamp: null,
      count: 3,
      type: 'Normal',
      eventTime: null,
      reportingComponent: '',
      reportingInstance: '',
    };
    const there = inVersion(event, 'events.k8s.io/v1');
    expect(there).toMatchObject({ regarding: { kind: 'Pod', name: 'a' }, note: 'Started container', deprecatedCount: 3 });
    expect('reportingController' in there).toBe(false);
    expect(inVersion(there, 'v1')).toEqual(event);
    expect(inVersion(event, 'v1')).toBe(event);
  });

  it('autoscalers keep what v1 has no fields for in annotations', () => {
    const scaler: UntypedObject = {
      kind: 'HorizontalPodAutoscaler',
      apiVersion: 'autoscaling/v2',
      metadata: { name: 'h', namespace: 't', annotations: { own: 'x' } },
      spec: {
        scaleTargetRef: { kind: 'Deployment', name: 'web', apiVersion: 'apps/v1' },
        minReplicas: 1,
        maxReplicas: 5,
        metrics: [
          { type: 'Pods', pods: { metric: { name: 'qps' }, target: { type: 'AverageValue', averageValue: '100' } } },
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 55 } } },
        ],
        behavior: {
          scaleDown: {
            stabilizationWindowSeconds: 60,
            selectPolicy: 'Max',
            policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
          },
        },
      },
      status: { desiredReplicas: 2, currentMetrics: null },
    };
    const old = inVersion(scaler, 'autoscaling/v1');
    expect(old['spec']).toMatchObject({ targetCPUUtilizationPercentage: 55, maxReplicas: 5 });
    expect(old.metadata.annotations?.['autoscaling.alpha.kubernetes.io/metrics']).toBe(
      '[{"type":"Pods","pods":{"metricName":"qps","targetAverageValue":"100"}}]',
    );
    // A copy, as a client would send it back.
    expect(inVersion({ ...old }, 'autoscaling/v2')).toEqual(scaler);
  });
});
