import { without } from '../../defaults/missing.ts';
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerV1 } from '../../types.ts';

/**
 * autoscaling/v1 and v2 of the same objects: v1 has one CPU target and keeps all else in annotations.
 * Upstream: pkg/apis/autoscaling/v1/conversion.go. Its rows in the annotations have the order of the Go structs.
 */
type Fields = Readonly<Record<string, unknown>>;
type SpecV1 = NonNullable<HorizontalPodAutoscalerV1['spec']>;

const prefix = 'autoscaling.alpha.kubernetes.io/';
const metricsKey = `${prefix}metrics`;
const currentKey = `${prefix}current-metrics`;
const conditionsKey = `${prefix}conditions`;
const behaviorKey = `${prefix}behavior`;
const keys: readonly string[] = [metricsKey, currentKey, conditionsKey, behaviorKey];

/** The fields that are set, in this order. */
/** What stands in an annotation may be anything. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function ordered(fields: Fields): Fields {
  const out: Record<string, unknown> = {};
  for (const key in fields) if (fields[key] !== undefined) out[key] = fields[key];
  return out;
}

function reference(given: unknown): unknown {
  const { kind = '', name = '', apiVersion } = (given ?? {}) as Fields;
  return ordered({ kind, name, apiVersion });
}

type Amounts = { readonly value?: string; readonly averageValue?: string; readonly averageUtilization?: number };

/** One metric of a v2 spec ('target') or status ('current') in v1 words. */
function metricToV1(metric: Fields, side: 'target' | 'current'): Fields {
  const type = textOf(metric['type']);
  const field = `${type.charAt(0).toLowerCase()}${type.slice(1)}`;
  const source = metric[field] as Fields | undefined;
  if (source === undefined) return { type };
  const { value, averageValue, averageUtilization } = (source[side] ?? {}) as Amounts;
  const named = (source['metric'] ?? {}) as Fields;
  const isTarget = side === 'target';
  switch (type) {
    case 'Object': {
      const amount = isTarget ? { targetValue: value ?? '0' } : { currentValue: value ?? '0' };
      return {
        type,
        object: ordered({
          target: reference(source['describedObject']),
          metricName: named['name'] ?? '',
          ...amount,
          selector: named['selector'],
          averageValue,
        }),
      };
    }
    case 'Pods':
      return {
        type,
        pods: ordered({ metricName: named['name'] ?? '', [`${side}AverageValue`]: averageValue ?? '0', selector: named['selector'] }),
      };
    case 'External':
      return {
        type,
        external: isTarget
          ? ordered({
              metricName: named['name'] ?? '',
              metricSelector: named['selector'],
              targetValue: value,
              targetAverageValue: averageValue,
            })
          : ordered({
              metricName: named['name'] ?? '',
              metricSelector: named['selector'],
              currentValue: value ?? '0',
              currentAverageValue: averageValue,
            }),
      };
    default: {
      const average = isTarget ? averageValue : (averageValue ?? '0');
      const container = type === 'ContainerResource' ? (source['container'] ?? '') : undefined;
      return {
        type,
        [field]: ordered({
          name: source['name'] ?? '',
          [`${side}AverageUtilization`]: averageUtilization,
          [`${side}AverageValue`]: average,
          container,
        }),
      };
    }
  }
}

/** One metric of an annotation in v2 words. */
function metricToV2(metric: Fields, side: 'target' | 'current'): Fields {
  const type = textOf(metric['type']);
  const field = `${type.charAt(0).toLowerCase()}${type.slice(1)}`;
  const source = metric[field] as Fields | undefined;
  if (source === undefined) return { type };
  const value = source[`${side}Value`] === '0' ? undefined : source[`${side}Value`];
  const averageValue = type === 'Object' ? source['averageValue'] : source[`${side}AverageValue`];
  const averageUtilization = source[`${side}AverageUtilization`];
  const targetType = averageUtilization !== undefined ? 'Utilization' : averageValue !== undefined ? 'AverageValue' : 'Value';
  const amounts = ordered({ type: side === 'target' ? targetType : undefined, value, averageValue, averageUtilization });
  const named = ordered({ name: source['metricName'], selector: source['selector'] ?? source['metricSelector'] });
  switch (type) {
    case 'Object':
      return { type, object: { describedObject: source['target'], [side]: amounts, metric: named } };
    case 'Pods':
      return { type, pods: { metric: named, [side]: amounts } };
    case 'External':
      return { type, external: { metric: named, [side]: amounts } };
    default:
      return { type, [field]: ordered({ name: source['name'], container: source['container'], [side]: amounts }) };
  }
}

/** Go prints the internal behavior, whose fields have no JSON names. */
function goRules(rules: Fields | undefined): unknown {
  if (rules === undefined) return null;
  const policies = rules['policies'] as readonly Fields[] | undefined;
  return {
    StabilizationWindowSeconds: rules['stabilizationWindowSeconds'] ?? null,
    SelectPolicy: rules['selectPolicy'] ?? null,
    Policies: policies?.map((policy) => ({ Type: policy['type'], Value: policy['value'], PeriodSeconds: policy['periodSeconds'] })) ?? null,
    Tolerance: rules['tolerance'] ?? null,
  };
}

function lowerNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowerNames);
  if (typeof value !== 'object' || value === null) return value;
  const out: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value))
    if (child !== null) out[`${key.charAt(0).toLowerCase()}${key.slice(1)}`] = lowerNames(child);
  return out;
}

/** What an annotation holds; unreadable ones count as absent. */
function parsed<T>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}

function isCpuUtilization(metric: Fields, side: 'target' | 'current'): boolean {
  const source = metric['resource'] as Fields | undefined;
  return (
    metric['type'] === 'Resource' && source?.['name'] === 'cpu' && (source[side] as Amounts | undefined)?.averageUtilization !== undefined
  );
}

function utilizationOf(metrics: readonly Fields[], side: 'target' | 'current'): number | undefined {
  const cpu = metrics.filter((metric) => isCpuUtilization(metric, side)).at(-1);
  return ((cpu?.['resource'] as Fields | undefined)?.[side] as Amounts | undefined)?.averageUtilization;
}

/** What v1 forms were made from: a table of them shows the metrics in their own order, which v1 does not keep. */
const origins = new WeakMap<object, HorizontalPodAutoscaler>();

/** The v2 form of a v1 object; one in v2 form comes back as it is. */
export function scalerToV2(scaler: HorizontalPodAutoscalerV1): HorizontalPodAutoscaler {
  const origin = origins.get(scaler);
  if (origin !== undefined) return origin;
  if ((scaler.apiVersion as string | undefined) === 'autoscaling/v2') return scaler as unknown as HorizontalPodAutoscaler;
  const { spec, status, metadata } = scaler;
  const { annotations } = metadata;
  const target = spec?.targetCPUUtilizationPercentage;
  const cpu: readonly Fields[] =
    target === undefined
      ? []
      : [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: target } } }];
  const others = (parsed<readonly Fields[]>(annotations?.[metricsKey]) ?? []).map((metric) => metricToV2(metric, 'target'));
  const metrics = [...others, ...cpu];
  const behavior = lowerNames(parsed(annotations?.[behaviorKey]));
  const noted = (parsed<readonly Fields[]>(annotations?.[currentKey]) ?? []).map((metric) => metricToV2(metric, 'current'));
  const now = status?.currentCPUUtilizationPercentage;
  const cpuNow =
    now === undefined ? [] : [{ type: 'Resource', resource: { name: 'cpu', current: { averageValue: '0', averageUtilization: now } } }];
  const current = noted.length > 0 ? noted : cpuNow;
  const conditions = parsed<readonly Fields[]>(annotations?.[conditionsKey]);
  const { targetCPUUtilizationPercentage: _, ...rest } = spec ?? ({} as SpecV1);
  return {
    apiVersion: 'autoscaling/v2',
    kind: scaler.kind,
    metadata: withoutNotes(metadata),
    spec: ordered({ ...rest, metrics: metrics.length === 0 ? undefined : metrics, behavior }),
    ...(status === undefined
      ? {}
      : {
          status: ordered({
            observedGeneration: status.observedGeneration,
            lastScaleTime: status.lastScaleTime,
            currentReplicas: status.currentReplicas === 0 ? undefined : status.currentReplicas,
            desiredReplicas: status.desiredReplicas,
            currentMetrics: current.length === 0 ? null : current,
            conditions,
          }),
        }),
  } as unknown as HorizontalPodAutoscaler;
}

function withoutNotes(metadata: HorizontalPodAutoscalerV1['metadata']): HorizontalPodAutoscalerV1['metadata'] {
  const { annotations } = metadata;
  if (annotations === undefined || !keys.some((key) => key in annotations)) return metadata;
  const left = Object.fromEntries(Object.entries(annotations).filter(([key]) => !keys.includes(key)));
  return Object.keys(left).length === 0 ? without(metadata, 'annotations') : { ...metadata, annotations: left };
}

/** The v1 form of a v2 object; one in v1 form comes back as it is. */
export function scalerToV1(scaler: HorizontalPodAutoscaler): HorizontalPodAutoscalerV1 {
  if ((scaler.apiVersion as string | undefined) === 'autoscaling/v1') return scaler as unknown as HorizontalPodAutoscalerV1;
  const { spec, status, metadata } = scaler;
  const metrics = (spec?.metrics ?? []) as unknown as readonly Fields[];
  const others = metrics.filter((metric) => !isCpuUtilization(metric, 'target'));
  const current = (status?.currentMetrics ?? []) as unknown as readonly Fields[];
  const conditions = (status?.conditions ?? []) as unknown as readonly Fields[];
  const notes: Record<string, string> = {};
  if (spec?.behavior !== undefined) {
    const behavior = spec.behavior as unknown as { readonly scaleUp?: Fields; readonly scaleDown?: Fields };
    notes[behaviorKey] = JSON.stringify({ ScaleUp: goRules(behavior.scaleUp), ScaleDown: goRules(behavior.scaleDown) });
  }
  if (conditions.length > 0) {
    notes[conditionsKey] = JSON.stringify(
      conditions.map(({ type, status: state, lastTransitionTime = null, reason, message }) =>
        ordered({ type, status: state, lastTransitionTime, reason, message }),
      ),
    );
  }
  if (current.length > 0) notes[currentKey] = JSON.stringify(current.map((metric) => metricToV1(metric, 'current')));
  if (others.length > 0) notes[metricsKey] = JSON.stringify(others.map((metric) => metricToV1(metric, 'target')));
  const hasNotes = Object.keys(notes).length > 0;
  const { metrics: _m, behavior: _b, ...rest } = (spec ?? {}) as unknown as Fields;
  const made = {
    apiVersion: 'autoscaling/v1',
    kind: scaler.kind,
    metadata: hasNotes ? { ...metadata, annotations: { ...metadata.annotations, ...notes } } : metadata,
    spec: ordered({ ...rest, targetCPUUtilizationPercentage: utilizationOf(metrics, 'target') }),
    ...(status === undefined
      ? {}
      : {
          status: ordered({
            observedGeneration: status.observedGeneration,
            lastScaleTime: status.lastScaleTime,
            currentReplicas: status.currentReplicas ?? 0,
            desiredReplicas: status.desiredReplicas,
            currentCPUUtilizationPercentage: utilizationOf(current, 'current'),
          }),
        }),
  } as unknown as HorizontalPodAutoscalerV1;
  origins.set(made, scaler);
  return made;
}
