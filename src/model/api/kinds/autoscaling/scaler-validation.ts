import { quantityOf } from '../../quantity.ts';
import type { HorizontalPodAutoscalerSpec, MetricSpec } from '../../types.ts';
import { type FieldErrors, forbidden, invalid, notSupported, required } from '../../validation/field-errors.ts';
import { isPathSegment } from '../../validation/names.ts';

/** Upstream: pkg/apis/autoscaling/validation/validation.go. */

const metricTypes = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];
const sourceOf: Readonly<Record<string, keyof MetricSpec>> = {
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
  External: 'external',
  ContainerResource: 'containerResource',
};
type Target = NonNullable<MetricSpec['pods']>['target'];
type Reference = HorizontalPodAutoscalerSpec['scaleTargetRef'];

export function checkScalerSpec(spec: HorizontalPodAutoscalerSpec, out: FieldErrors): void {
  const { minReplicas, maxReplicas = 0, metrics = [], behavior } = spec;
  if (minReplicas !== undefined && minReplicas < 1)
    out.push(invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'));
  if (maxReplicas < 1) out.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0'));
  if (minReplicas !== undefined && maxReplicas < minReplicas)
    out.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'));
  checkReference(spec.scaleTargetRef, 'spec.scaleTargetRef', out);
  for (const [i, metric] of metrics.entries()) checkMetric(metric, `spec.metrics[${i}]`, out);
  if (minReplicas === 0 && !metrics.some((m) => m.type === 'Object' || m.type === 'External')) {
    out.push(forbidden('spec.metrics', 'must specify at least one Object or External metric to support scaling to zero replicas'));
  }
  if (behavior?.scaleUp !== undefined) checkRules(behavior.scaleUp, 'spec.behavior.scaleUp', out);
  if (behavior?.scaleDown !== undefined) checkRules(behavior.scaleDown, 'spec.behavior.scaleDown', out);
}

/** ValidateCrossVersionObjectReference. */
function checkReference(ref: Reference | undefined, field: string, out: FieldErrors, needsGroup = true): void {
  const { kind = '', name = '', apiVersion = '' } = ref ?? ({} as Partial<Reference>);
  for (const [key, value] of [
    ['kind', kind],
    ['name', name],
  ] as const) {
    if (value === '') out.push(required(`${field}.${key}`));
    else for (const message of isPathSegment(value)) out.push(invalid(`${field}.${key}`, value, message));
  }
  if (!needsGroup) return;
  const slashes = apiVersion.split('/').length - 1;
  if (slashes > 1) out.push(invalid(`${field}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  else if ((slashes === 0 || apiVersion.startsWith('/')) && !(apiVersion === 'v1' && kind === 'ReplicationController')) {
    out.push(invalid(`${field}.apiVersion`, apiVersion, 'apiVersion must specify API group'));
  }
}

function checkMetric(metric: MetricSpec, field: string, out: FieldErrors): void {
  const type: string = metric.type ?? '';
  if (type === '') out.push(required(`${field}.type`, 'must specify a metric source type'));
  if (!metricTypes.includes(type)) out.push(notSupported(`${field}.type`, type, metricTypes));
  const present = (['object', 'external', 'pods', 'resource', 'containerResource'] as const).filter((key) => metric[key] !== undefined);
  if (present.length >= 1) checkSource(metric, present[0] ?? 'object', field, out);
  const expected = sourceOf[type];
  if (expected === undefined) out.push(notSupported(`${field}.type`, type, metricTypes));
  else if (metric[expected] === undefined)
    out.push(required(`${field}.${expected}`, 'must populate information for the given metric source'));
  if (present.length > 1)
    for (const key of present) if (key !== expected) out.push(forbidden(`${field}.${key}`, 'must populate the given metric source only'));
}

function checkSource(
  metric: MetricSpec,
  key: 'object' | 'external' | 'pods' | 'resource' | 'containerResource',
  metricField: string,
  out: FieldErrors,
): void {
  const field = `${metricField}.${key}`;
  const perPod = 'must set either a target value for metric or a per-pod target';
  switch (key) {
    case 'object': {
      const source = metric.object;
      if (source === undefined) return;
      checkReference(source.describedObject, `${field}.describedObject`, out, false);
      checkIdentifier(source.metric, field, out);
      checkTarget(source.target, field, out);
      if (source.target?.value === undefined && source.target?.averageValue === undefined)
        out.push(required(`${field}.target.averageValue`, perPod));
      return;
    }
    case 'external': {
      const source = metric.external;
      if (source === undefined) return;
      checkIdentifier(source.metric, field, out);
      checkTarget(source.target, field, out);
      const { value, averageValue } = source.target ?? {};
      if (value === undefined && averageValue === undefined) out.push(required(`${field}.target.averageValue`, perPod));
      if (value !== undefined && averageValue !== undefined)
        out.push(forbidden(`${field}.target.value`, 'may not set both a target value for metric and a per-pod target'));
      return;
    }
    case 'pods': {
      const source = metric.pods;
      if (source === undefined) return;
      checkIdentifier(source.metric, field, out);
      checkTarget(source.target, field, out);
      if (source.target?.averageValue === undefined)
        out.push(required(`${field}.target.averageValue`, 'must specify a positive target averageValue'));
      return;
    }
    default: {
      const source = metric[key];
      if (source === undefined) return;
      if ((source.name ?? '') === '') out.push(required(`${field}.name`, 'must specify a resource name'));
      if ('container' in source && source.container === '') out.push(required(`${field}.container`, 'must specify a container'));
      checkTarget(source.target, field, out);
      const { averageUtilization, averageValue } = source.target ?? {};
      if (averageUtilization === undefined && averageValue === undefined) {
        out.push(required(`${field}.target.averageUtilization`, 'must set either a target raw value or a target utilization'));
      }
      if (averageUtilization !== undefined && averageValue !== undefined) {
        out.push(forbidden(`${field}.target.averageValue`, 'may not set both a target raw value and a target utilization'));
      }
    }
  }
}

function checkIdentifier(identifier: NonNullable<MetricSpec['pods']>['metric'] | undefined, field: string, out: FieldErrors): void {
  const name = identifier?.name ?? '';
  if (name === '') out.push(required(`${field}.metric.name`));
  for (const message of isPathSegment(name)) out.push(invalid(`${field}.metric.name`, name, message));
}

function checkTarget(target: Target | undefined, field: string, out: FieldErrors): void {
  const type: string = target?.type ?? '';
  const path = `${field}.target`;
  if (type === '') out.push(required(`${path}.type`, 'must specify a metric target type'));
  else if (type !== 'Utilization' && type !== 'Value' && type !== 'AverageValue')
    out.push(invalid(`${path}.type`, type, 'must be either Utilization, Value, or AverageValue'));
  for (const key of ['value', 'averageValue'] as const) {
    const value = target?.[key];
    if (value !== undefined && quantityOf(value).nano <= 0n) out.push(invalid(`${path}.${key}`, value, 'must be positive'));
  }
  const utilization = target?.averageUtilization;
  if (utilization !== undefined && utilization < 1) out.push(invalid(`${path}.averageUtilization`, utilization, 'must be greater than 0'));
}

type Rules = NonNullable<NonNullable<HorizontalPodAutoscalerSpec['behavior']>['scaleUp']>;

function checkRules(rules: Rules, field: string, out: FieldErrors): void {
  const window = rules.stabilizationWindowSeconds;
  if (window !== undefined && window < 0)
    out.push(invalid(`${field}.stabilizationWindowSeconds`, window, 'must be greater than or equal to zero'));
  if (window !== undefined && window > 3600)
    out.push(invalid(`${field}.stabilizationWindowSeconds`, window, 'must be less than or equal to 3600'));
  const select: string | undefined = rules.selectPolicy;
  const selects = ['Disabled', 'Max', 'Min'];
  if (select !== undefined && !selects.includes(select)) out.push(notSupported(`${field}.selectPolicy`, select, selects));
  const policies = rules.policies ?? [];
  if (policies.length === 0) out.push(required(`${field}.policies`, 'must specify at least one Policy'));
  for (const [i, { type, value = 0, periodSeconds = 0 }] of policies.entries()) {
    const path = `${field}.policies[${i}]`;
    const kind: string = type ?? '';
    if (kind !== 'Percent' && kind !== 'Pods') out.push(notSupported(`${path}.type`, kind, ['Percent', 'Pods']));
    if (value <= 0) out.push(invalid(`${path}.value`, value, 'must be greater than zero'));
    if (periodSeconds <= 0) out.push(invalid(`${path}.periodSeconds`, periodSeconds, 'must be greater than zero'));
    if (periodSeconds > 1800) out.push(invalid(`${path}.periodSeconds`, periodSeconds, 'must be less than or equal to 1800'));
  }
  if (rules.tolerance !== undefined && quantityOf(rules.tolerance).nano < 0n) {
    out.push(invalid(`${field}.tolerance`, rules.tolerance, 'must be greater than or equal to 0'));
  }
}
