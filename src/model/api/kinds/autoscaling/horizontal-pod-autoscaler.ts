import { changed, withMissing } from '../../defaults/missing.ts';
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, MetricSpec, MetricStatus } from '../../types.ts';
import type { FieldErrors } from '../../validation/field-errors.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkNonNegative } from '../../validation/numbers.ts';
import { age, type ColumnRow, columns, none, unset } from '../columns.ts';
import { defineKind } from '../define.ts';
import { keepStatus, statusUpdate } from '../strategy.ts';
import { checkScalerSpec } from './scaler-validation.ts';

/** Upstream: pkg/registry/autoscaling/horizontalpodautoscaler/strategy.go, pkg/apis/autoscaling/v2/defaults.go and validation. */
export const scalerRule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };
const emptySpec = {} as HorizontalPodAutoscalerSpec;
type Behavior = NonNullable<HorizontalPodAutoscalerSpec['behavior']>;
type Rules = NonNullable<Behavior['scaleUp']>;

const cpuAt80: readonly MetricSpec[] = [
  { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
];
const upDefaults: Rules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};
const downDefaults: Rules = { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] };

/** GenerateHPAScaleUpRules and its twin: what a behavior leaves out. */
function defaultBehavior(behavior: Behavior): Behavior {
  const scaleUp = withMissing(behavior.scaleUp ?? {}, upDefaults);
  const scaleDown = withMissing(behavior.scaleDown ?? {}, downDefaults);
  return scaleUp === behavior.scaleUp && scaleDown === behavior.scaleDown ? behavior : { scaleUp, scaleDown };
}

function setDefaults(scaler: HorizontalPodAutoscaler): HorizontalPodAutoscaler {
  let spec = withMissing(scaler.spec ?? emptySpec, { minReplicas: 1 });
  if ((spec.metrics ?? []).length === 0) spec = { ...spec, metrics: cpuAt80 };
  if (spec.behavior !== undefined) spec = changed(spec, 'behavior', defaultBehavior);
  return spec === scaler.spec ? scaler : { ...scaler, spec };
}

/** formatHPAMetrics: current/target of the first two metrics. */
export function targetsText({ spec, status }: HorizontalPodAutoscaler): string {
  const metrics = spec?.metrics ?? [];
  if (metrics.length === 0) return none;
  const shown = metrics.slice(0, 2).map((metric, i) => metricText(metric, status?.currentMetrics?.[i]));
  const rest = metrics.length - 2;
  return rest > 0 ? `${shown.join(', ')} + ${rest} more...` : shown.join(', ');
}

function metricText(metric: MetricSpec, current: MetricStatus | undefined): string {
  const unknown = '<unknown>';
  switch (metric.type as string) {
    case 'External': {
      const target = metric.external?.target;
      if (target?.averageValue !== undefined) return `${current?.external?.current?.averageValue ?? unknown}/${target.averageValue} (avg)`;
      return `${current?.external?.current?.value ?? unknown}/${target?.value ?? ''}`;
    }
    case 'Pods':
      return `${current?.pods?.current?.averageValue ?? unknown}/${metric.pods?.target.averageValue ?? ''}`;
    case 'Object': {
      const target = metric.object?.target;
      if (target?.averageValue !== undefined) return `${current?.object?.current?.averageValue ?? unknown}/${target.averageValue} (avg)`;
      return `${current?.object?.current?.value ?? unknown}/${target?.value ?? ''}`;
    }
    case 'Resource':
    case 'ContainerResource': {
      const source = metric.resource ?? metric.containerResource;
      const now = (current?.resource ?? current?.containerResource)?.current;
      const target = source?.target;
      if (target?.averageValue !== undefined) return `${source?.name}: ${now?.averageValue ?? unknown}/${target.averageValue}`;
      const wanted = target?.averageUtilization === undefined ? '<auto>' : `${target.averageUtilization}%`;
      return `${source?.name}: ${now?.averageUtilization === undefined ? unknown : `${now.averageUtilization}%`}/${wanted}`;
    }
    default:
      return '<unknown type>';
  }
}

/** The columns of every version, over its v2 form. */
export function scalerColumns<
  T extends { readonly apiVersion: string; readonly kind: string; readonly metadata: HorizontalPodAutoscaler['metadata'] },
>(toV2: (object: T) => HorizontalPodAutoscaler) {
  const rows: readonly ColumnRow<T>[] = [
    ['Reference', 'string', (o) => `${toV2(o).spec?.scaleTargetRef.kind}/${toV2(o).spec?.scaleTargetRef.name}`],
    ['Targets', 'string', (o) => targetsText(toV2(o))],
    ['MinPods', 'string', (o) => (toV2(o).spec?.minReplicas === undefined ? unset : String(toV2(o).spec?.minReplicas))],
    ['MaxPods', 'string', (o) => toV2(o).spec?.maxReplicas ?? 0],
    ['Replicas', 'string', (o) => toV2(o).status?.currentReplicas ?? 0],
    age(),
  ];
  return columns<T>('horizontalpodautoscalers.autoscaling', rows);
}

export function checkScalerStatus({ status }: HorizontalPodAutoscaler, out: FieldErrors): void {
  checkNonNegative(status?.currentReplicas, 'status.currentReplicas', out);
  checkNonNegative(status?.desiredReplicas, 'status.desiredReplicas', out);
}

export const horizontalPodAutoscaler = defineKind<HorizontalPodAutoscaler>('autoscaling/v2', 'horizontalpodautoscalers', {
  setDefaults,
  prepareForCreate: (object) => ({ ...object, status: { desiredReplicas: 0, currentMetrics: null as unknown as readonly MetricStatus[] } }),
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: statusUpdate,
  validate({ metadata, spec }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, scalerRule, out);
    checkScalerSpec(spec ?? emptySpec, out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, scalerRule, out);
    if (next.spec !== previous.spec) checkScalerSpec(next.spec ?? emptySpec, out);
    return out;
  },
  validateStatusUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, scalerRule, out);
    checkScalerStatus(next, out);
    return out;
  },
  columns: scalerColumns<HorizontalPodAutoscaler>((object) => object),
});
