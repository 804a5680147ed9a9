import type { HorizontalPodAutoscaler, LabelSelector } from '../api/types.ts';

export type MetricSpec = NonNullable<HorizontalPodAutoscaler['spec']['metrics']>[number];

/** Why a metric could not be had. */
export interface MetricFailure {
  readonly ok: false;
  /** Of the event and of the condition ScalingActive. */
  readonly reason: string;
  readonly cause: string;
  /** The cause as the computation of all metrics passes it on. */
  readonly message: string;
}

const noCustom = 'unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered';

/**
 * Metrics that an adapter would serve. A cluster without one has neither API: the custom one is looked up in the discovery, the external one is asked
 * as it stands. Upstream pkg/controller/podautoscaler, horizontal.go and metrics/client.go.
 */
export function adapterMetric(spec: MetricSpec, namespace: string): MetricFailure {
  switch (spec.type) {
    case 'Pods': {
      const cause = `unable to get metric ${spec.pods?.metric.name}: ${noCustom}`;
      return { ok: false, reason: 'FailedGetPodsMetric', cause, message: `failed to get pods metric value: ${cause}` };
    }
    case 'Object': {
      const { metric, describedObject, target } = spec.object ?? {};
      const cause = `unable to get metric ${metric?.name}: ${describedObject?.kind} on ${namespace} ${describedObject?.name}/${noCustom}`;
      const passed = target?.type === 'AverageValue' ? `failed to get ${metric?.name} object metric: ${cause}` : cause;
      return { ok: false, reason: 'FailedGetObjectMetric', cause, message: `failed to get object metric value: ${passed}` };
    }
    case 'External': {
      const { metric, target } = spec.external ?? {};
      const name = metric?.name ?? '';
      const asked = `the server could not find the requested resource (get ${name}.external.metrics.k8s.io)`;
      const cause = `unable to get external metric ${namespace}/${name}/${selectorText(metric?.selector)}: unable to fetch metrics from external metrics API: ${asked}`;
      const passed =
        target?.averageValue === undefined
          ? `failed to get external metric ${name}: ${cause}`
          : `failed to get ${name} external metric: ${cause}`;
      return { ok: false, reason: 'FailedGetExternalMetric', cause, message: `failed to get ${name} external metric value: ${passed}` };
    }
    default: {
      const cause = `unknown metric source type ${JSON.stringify(spec.type)}`;
      return { ok: false, reason: 'InvalidMetricSourceType', cause, message: cause };
    }
  }
}

/** A selector as Go prints the generated type. */
function selectorText(selector: LabelSelector | undefined): string {
  if (selector === undefined) return 'nil';
  const labels = selector.matchLabels ?? {};
  const pairs = Object.keys(labels)
    .sort()
    .map((key) => `${key}: ${labels[key]},`);
  const requirements = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) => `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  );
  return `&LabelSelector{MatchLabels:map[string]string{${pairs.join('')}},MatchExpressions:[]LabelSelectorRequirement{${requirements.join('')}},}`;
}
