import { withMissing } from '../../defaults/missing.ts';
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerV1, MetricSpec, MetricStatus } from '../../types.ts';
import type { FieldErrors } from '../../validation/field-errors.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { defineKind } from '../define.ts';
import { keepStatus, statusUpdate } from '../strategy.ts';
import { checkScalerStatus, scalerColumns, scalerRule } from './horizontal-pod-autoscaler.ts';
import { checkScalerSpec } from './scaler-validation.ts';

/** autoscaling/v1 of the same objects: one CPU target, the rest in annotations. Upstream: pkg/apis/autoscaling/v1/conversion.go. */
type Spec = NonNullable<HorizontalPodAutoscalerV1['spec']>;
const metricsKey = 'autoscaling.alpha.kubernetes.io/metrics';
const currentKey = 'autoscaling.alpha.kubernetes.io/current-metrics';

/** The v2 form of a v1 object. Objects that are in v2 form already (they are stored so) come back as they are. */
export function scalerToV2(scaler: HorizontalPodAutoscalerV1): HorizontalPodAutoscaler {
  if (scaler.apiVersion === 'autoscaling/v2' || (scaler.spec !== undefined && 'metrics' in scaler.spec)) return scaler as unknown as HorizontalPodAutoscaler;
  const { spec, status } = scaler;
  const target = spec?.targetCPUUtilizationPercentage;
  const cpu: MetricSpec[] = target === undefined ? [] : [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: target } } }];
  const current = status?.currentCPUUtilizationPercentage;
  const cpuNow: MetricStatus[] =
    current === undefined ? [] : [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: current, averageValue: '0' } } }];
  const { annotations } = scaler.metadata;
  const { targetCPUUtilizationPercentage: _, ...rest } = spec ?? ({} as Spec);
  return {
    apiVersion: 'autoscaling/v2',
    kind: scaler.kind,
    metadata: scaler.metadata,
    spec: { ...rest, metrics: [...cpu, ...parsed<MetricSpec>(annotations?.[metricsKey])] },
    ...(status === undefined
      ? {}
      : {
          status: {
            desiredReplicas: status.desiredReplicas,
            ...(status.currentReplicas === undefined ? {} : { currentReplicas: status.currentReplicas }),
            ...(status.lastScaleTime === undefined ? {} : { lastScaleTime: status.lastScaleTime }),
            ...(status.observedGeneration === undefined ? {} : { observedGeneration: status.observedGeneration }),
            currentMetrics: [...cpuNow, ...parsed<MetricStatus>(annotations?.[currentKey])],
          },
        }),
  } as unknown as HorizontalPodAutoscaler;
}

/** Metrics that v1 keeps in an annotation; unreadable ones count as none. */
function parsed<T>(text: string | undefined): readonly T[] {
  if (text === undefined) return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? (value as readonly T[]) : [];
  } catch {
    return [];
  }
}

export const horizontalPodAutoscalerV1 = defineKind<HorizontalPodAutoscalerV1>('autoscaling/v1', 'horizontalpodautoscalers', {
  setDefaults: (object) => {
    const spec = withMissing(object.spec ?? ({} as Spec), { minReplicas: 1 });
    return spec === object.spec ? object : { ...object, spec };
  },
  prepareForCreate: (object) => ({ ...object, status: { currentReplicas: 0, desiredReplicas: 0 } }),
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: statusUpdate,
  validate(object) {
    const out: FieldErrors = [];
    checkMetadata(object.metadata, scalerRule, out);
    const { spec } = scalerToV2(object);
    if (spec !== undefined) checkScalerSpec(spec, out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, scalerRule, out);
    const { spec } = scalerToV2(next);
    if (spec !== undefined && next.spec !== previous.spec) checkScalerSpec(spec, out);
    return out;
  },
  validateStatusUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, scalerRule, out);
    checkScalerStatus(scalerToV2(next), out);
    return out;
  },
  columns: scalerColumns<HorizontalPodAutoscalerV1>(scalerToV2),
});
