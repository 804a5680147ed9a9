import type { ApiObject } from '../api/object.ts';
import { type ParsedLabelSelector, formatLabelSelector, labelsMatch } from '../api/label-selector.ts';
import { quantityMilliValue, quantityOf, quantityValue } from '../api/quantity.ts';
import { parseTime } from '../api/time.ts';
import type { Resource } from '../client/resources.ts';
import type { ApiFailure } from '../client/result.ts';
import type { Client } from '../client/typed-client.ts';
import type { Task } from '../../sim/task.ts';
import { type Micros, SECOND } from '../../sim/time.ts';

/** What a pod used over a window that ended at a time. */
export interface PodMetric {
  readonly name: string;
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly atWallUs: Micros;
  readonly windowUs: Micros;
  readonly containers: readonly ContainerUsage[];
}

export interface ContainerUsage {
  readonly name: string;
  readonly cpuMilli: number;
  readonly memoryBytes: number;
}

export type PodMetricsAnswer = { readonly ok: true; readonly pods: readonly PodMetric[] } | ApiFailure;

/** Where usage comes from: the resource metrics API. */
export interface PodMetricsSource {
  readonly list: (namespace: string, selector: ParsedLabelSelector) => Task<PodMetricsAnswer>;
}

interface PodMetricsObject extends ApiObject {
  readonly timestamp?: string;
  readonly window?: string;
  readonly containers?: readonly { readonly name: string; readonly usage?: { readonly cpu?: string; readonly memory?: string } }[];
}

const POD_METRICS: Resource<PodMetricsObject> = {
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  resource: 'pods',
  kind: 'PodMetrics',
  namespaced: true,
};

function metricOf(object: PodMetricsObject): PodMetric {
  const containers = (object.containers ?? []).map(({ name, usage }) => ({
    name,
    cpuMilli: quantityMilliValue(quantityOf(usage?.cpu)),
    memoryBytes: quantityValue(quantityOf(usage?.memory)),
  }));
  const seconds = Number.parseFloat(object.window ?? '30');
  return {
    name: object.metadata.name ?? '',
    cpuMilli: containers.reduce((sum, each) => sum + each.cpuMilli, 0),
    memoryBytes: containers.reduce((sum, each) => sum + each.memoryBytes, 0),
    containers,
    atWallUs: parseTime(object.timestamp ?? '') ?? 0,
    windowUs: seconds * SECOND,
  };
}

/** The metrics API behind the API server. */
export function metricsOfApi(client: Client): PodMetricsSource {
  return {
    *list(namespace, selector): Task<PodMetricsAnswer> {
      const listed = yield* client.resource(POD_METRICS).list(namespace, { options: { labelSelector: formatLabelSelector(selector) } });
      if (!listed.ok) return listed;
      const items = listed.object.items.filter((item) => item.metadata.labels === undefined || labelsMatch(selector, item.metadata.labels));
      return { ok: true, pods: items.map(metricOf) };
    },
  };
}
