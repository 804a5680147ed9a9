import { isSelectorError, labelsMatch, type ParsedLabelSelector, parseLabelSelector } from '../api/label-selector.ts';
import { formatQuantity, quantityFromMilli, quantityMilliValue, quantityOf } from '../api/quantity.ts';
import { formatTime } from '../api/time.ts';
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus, MetricStatus, Pod, Scale } from '../api/types.ts';
import type { EventRecorder } from '../client/events.ts';
import type { Informer } from '../client/informer.ts';
import { objectKey } from '../client/reflector.ts';
import {
  DEPLOYMENTS,
  HORIZONTAL_POD_AUTOSCALERS,
  PODS,
  REPLICATION_CONTROLLERS,
  REPLICA_SETS,
  type Resource,
  STATEFUL_SETS,
} from '../client/resources.ts';
import type { ApiFailure, ApiResult } from '../client/result.ts';
import type { Task } from '../../sim/task.ts';
import type { ControllerContext } from './context.ts';
import { adapterMetric, type MetricFailure, type MetricSpec } from './hpa-adapter-metrics.ts';
import { type HpaMemory, downRules, limitByRules, limitPlainly, noteChange, stabilized, upRules } from './hpa-limits.ts';
import { type MeasuredResource, replicasForResource, tolerancesOf } from './hpa-replicas.ts';
import type { PodMetric, PodMetricsSource } from './pod-metrics.ts';
import { metricsOfApi } from './pod-metrics.ts';
import { semanticEqual } from './semantic-equal.ts';

const byNamespace = 'namespace';
const scalable: { readonly [kind: string]: Resource } = {
  Deployment: DEPLOYMENTS as Resource,
  ReplicaSet: REPLICA_SETS as Resource,
  StatefulSet: STATEFUL_SETS as Resource,
  ReplicationController: REPLICATION_CONTROLLERS as Resource,
};

/** Scales by usage: pkg/controller/podautoscaler/horizontal.go. Resources of pods and containers; metrics of adapters fail, since a cluster here has none. */
export function startHpaController(context: ControllerContext): void {
  new HpaController(context).start();
}

type Condition = NonNullable<HorizontalPodAutoscalerStatus['conditions']>[number];

/** What the metrics of an autoscaler say. */
type MetricsVerdict =
  | { readonly ok: true; readonly replicas: number; readonly name: string; readonly statuses: readonly MetricStatus[] }
  | { readonly ok: false; readonly message: string; readonly statuses: readonly MetricStatus[] };

type MetricProposal =
  | { readonly ok: true; readonly replicas: number; readonly name: string; readonly status: MetricStatus }
  | MetricFailure;

class HpaController {
  readonly #context: ControllerContext;
  readonly #recorder: EventRecorder;
  readonly #hpas: Informer<HorizontalPodAutoscaler>;
  readonly #pods: Informer<Pod>;
  readonly #metrics: PodMetricsSource;
  readonly #memories = new Map<string, HpaMemory>();
  readonly #timers = new Set<string>();
  /** What each autoscaler's target selected when it was last looked at. */
  readonly #selectors = new Map<string, ParsedLabelSelector>();

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#recorder = context.recorder('horizontal-pod-autoscaler');
    this.#hpas = context.informer(HORIZONTAL_POD_AUTOSCALERS);
    this.#pods = context.informer(PODS);
    this.#metrics = context.metrics ?? metricsOfApi(context.client);
  }

  start(): void {
    this.#pods.addIndex(byNamespace, (pod) => [pod.metadata.namespace ?? '']);
    this.#context.whenSynced([this.#hpas, this.#pods], () => {
      this.#hpas.addHandler({ onAdd: (hpa) => this.#later(objectKey(hpa)), onDelete: (hpa) => this.#forget(objectKey(hpa)) });
    });
  }

  #forget(key: string): void {
    this.#memories.delete(key);
    this.#selectors.delete(key);
  }

  /** Each autoscaler has its own period; changes do not hasten it. */
  #later(key: string): void {
    if (this.#timers.has(key)) return;
    this.#timers.add(key);
    this.#context.process.after(this.#context.config.hpaSyncPeriodUs, () => {
      this.#timers.delete(key);
      this.#context.process.spawn(`hpa ${key}`, this.#sync(key));
    });
  }

  *#sync(key: string): Task<void> {
    const hpa = this.#hpas.get(key);
    if (hpa === undefined) return;
    this.#context.process.charge(this.#context.config.reconcileCostUs);
    yield* this.#reconcile(key, hpa);
    // The period counts from the end of a sync, so that its own change lies a whole period back in the next one.
    this.#later(key);
  }

  #memory(key: string, current: number): HpaMemory {
    let memory = this.#memories.get(key);
    if (memory === undefined) {
      memory = { recommendations: [{ replicas: current, at: this.#context.process.mono() }], ups: [], downs: [] };
      this.#memories.set(key, memory);
    }
    return memory;
  }

  *#reconcile(key: string, hpa: HorizontalPodAutoscaler): Task<void> {
    const { client, process } = this.#context;
    const draft = new StatusDraft(hpa, process.wall());
    const { kind, name } = hpa.spec.scaleTargetRef;
    const namespace = hpa.metadata.namespace ?? '';
    const resource = scalable[kind];
    const read: ApiResult<Scale> =
      resource === undefined ? noKind(kind) : yield* client.resource(resource).getSubresource<Scale>(namespace, name, 'scale');
    if (!read.ok) {
      this.#recorder.event(hpa, 'Warning', 'FailedGetScale', read.message);
      draft.set(
        'AbleToScale',
        'False',
        'FailedGetScale',
        `the HPA controller was unable to get the target's current scale: ${read.message}`,
      );
      yield* this.#write(hpa, draft.value);
      return;
    }
    draft.set('AbleToScale', 'True', 'SucceededGetScale', "the HPA controller was able to get the target's current scale");
    const scale = read.object;
    const current = scale.spec?.replicas ?? 0;
    const memory = this.#memory(key, current);
    const decision = yield* this.#decide(hpa, scale, memory, draft);
    if (decision === undefined) {
      draft.value = { ...draft.value, currentReplicas: current, desiredReplicas: hpa.status?.desiredReplicas ?? 0 };
      yield* this.#write(hpa, draft.value);
      return;
    }
    let desired = decision.replicas;
    let rescaled = false;
    if (decision.rescale && resource !== undefined) {
      const written = yield* client
        .resource(resource)
        .update({ ...scale, spec: { ...scale.spec, replicas: desired } } as never, { subresource: 'scale' });
      if (!written.ok) {
        this.#recorder.event(
          hpa,
          'Warning',
          'FailedRescale',
          `New size: ${desired}; reason: ${decision.reason}; error: ${written.message}`,
        );
        draft.set(
          'AbleToScale',
          'False',
          'FailedUpdateScale',
          `the HPA controller was unable to update the target scale: ${written.message}`,
        );
        draft.value = { ...draft.value, currentReplicas: current };
        yield* this.#write(hpa, draft.value);
        return;
      }
      draft.set('AbleToScale', 'True', 'SucceededRescale', `the HPA controller was able to update the target scale to ${desired}`);
      this.#recorder.event(hpa, 'Normal', 'SuccessfulRescale', `New size: ${desired}; reason: ${decision.reason}`);
      if (hpa.spec.behavior !== undefined) noteChange(memory, current, desired, process.mono());
      rescaled = true;
    } else desired = current;
    draft.value = {
      ...draft.value,
      currentReplicas: current,
      desiredReplicas: desired,
      currentMetrics: decision.metrics,
      ...(rescaled ? { lastScaleTime: formatTime(process.wall()) } : {}),
    };
    yield* this.#write(hpa, draft.value);
  }

  /** How many replicas there should be; undefined: nobody knows. */
  *#decide(
    hpa: HorizontalPodAutoscaler,
    scale: Scale,
    memory: HpaMemory,
    draft: StatusDraft,
  ): Task<
    { readonly replicas: number; readonly rescale: boolean; readonly reason: string; readonly metrics: readonly MetricStatus[] } | undefined
  > {
    const current = scale.spec?.replicas ?? 0;
    const min = hpa.spec.minReplicas ?? 1;
    const max = hpa.spec.maxReplicas;
    if (current === 0 && min !== 0) {
      draft.set('ScalingActive', 'False', 'ScalingDisabled', 'scaling is disabled since the replica count of the target is zero');
      return { replicas: 0, rescale: false, reason: '', metrics: [] };
    }
    if (current > max) return { replicas: max, rescale: true, reason: 'Current number of replicas above Spec.MaxReplicas', metrics: [] };
    if (current < min) return { replicas: min, rescale: true, reason: 'Current number of replicas below Spec.MinReplicas', metrics: [] };
    const verdict = yield* this.#evaluate(hpa, scale, draft);
    if (!verdict.ok) {
      this.#recorder.event(hpa, 'Warning', 'FailedComputeMetricsReplicas', verdict.message);
      draft.value = { ...draft.value, currentMetrics: verdict.statuses };
      return undefined;
    }
    const wanted = verdict.replicas;
    const reason = wanted > current ? `${verdict.name} above target` : 'All metrics below target';
    const replicas = this.#normalize(hpa, memory, draft, wanted, current, min, max);
    return { replicas, rescale: replicas !== current, reason, metrics: verdict.statuses };
  }

  #normalize(
    hpa: HorizontalPodAutoscaler,
    memory: HpaMemory,
    draft: StatusDraft,
    wanted: number,
    current: number,
    min: number,
    max: number,
  ): number {
    const { process, config } = this.#context;
    const now = process.mono();
    const { behavior } = hpa.spec;
    const up = upRules(behavior?.scaleUp);
    const down = downRules(behavior?.scaleDown, config.hpaDownscaleStabilizationUs);
    let settled: number;
    if (behavior === undefined) {
      const recent = memory.recommendations.filter(({ at }) => at > now - down.windowUs);
      settled = recent.reduce((most, { replicas }) => Math.max(most, replicas), wanted);
      memory.recommendations = [...recent, { replicas: wanted, at: now }];
    } else settled = stabilized(memory, wanted, current, up.windowUs, down.windowUs, now);
    if (settled === wanted) draft.set('AbleToScale', 'True', 'ReadyForNewScale', 'recommended size matches current size');
    else if (behavior !== undefined && wanted >= current) {
      draft.set(
        'AbleToScale',
        'True',
        'ScaleUpStabilized',
        'recent recommendations were lower than current one, applying the lowest recent recommendation',
      );
    } else
      draft.set(
        'AbleToScale',
        'True',
        'ScaleDownStabilized',
        'recent recommendations were higher than current one, applying the highest recent recommendation',
      );
    const limited =
      behavior === undefined ? limitPlainly(settled, current, min, max) : limitByRules(memory, up, down, settled, current, min, max, now);
    draft.set('ScalingLimited', limited.replicas === settled ? 'False' : 'True', limited.reason, limited.message);
    return limited.replicas;
  }

  /** Upstream computeReplicasForMetrics: the highest proposal wins; one failing metric forbids shrinking. */
  *#evaluate(hpa: HorizontalPodAutoscaler, scale: Scale, draft: StatusDraft): Task<MetricsVerdict> {
    const specs = hpa.spec.metrics ?? [];
    const current = scale.spec?.replicas ?? 0;
    const selector = this.#selector(hpa, scale, draft);
    if (typeof selector === 'string') return { ok: false, message: selector, statuses: [] };
    let best: { readonly replicas: number; readonly name: string } | undefined;
    // A metric that could not be had keeps its place, empty.
    const statuses: MetricStatus[] = specs.map(() => ({ type: '' }));
    let invalid = 0;
    let first: MetricFailure | undefined;
    for (const [i, spec] of specs.entries()) {
      const proposal = yield* this.#proposal(hpa, scale, selector, spec);
      if (!proposal.ok) {
        if (proposal.reason !== 'InvalidMetricSourceType') this.#recorder.event(hpa, 'Warning', proposal.reason, proposal.cause);
        first ??= proposal;
        invalid++;
        continue;
      }
      statuses[i] = proposal.status;
      if (best === undefined || proposal.replicas > best.replicas) best = proposal;
    }
    if (first !== undefined && (best === undefined || best.replicas < current)) {
      draft.set('ScalingActive', 'False', first.reason, `the HPA was unable to compute the replica count: ${first.cause}`);
      return {
        ok: false,
        message: `invalid metrics (${invalid} invalid out of ${specs.length}), first error is: ${first.message}`,
        statuses,
      };
    }
    if (best === undefined) return { ok: false, message: 'no metrics', statuses };
    draft.set('ScalingActive', 'True', 'ValidMetricFound', `the HPA was able to successfully calculate a replica count from ${best.name}`);
    return { ok: true, replicas: best.replicas, name: best.name, statuses };
  }

  /** Upstream validateAndParseSelector; a text says why there is none. */
  #selector(hpa: HorizontalPodAutoscaler, scale: Scale, draft: StatusDraft): ParsedLabelSelector | string {
    const refuse = (reason: string, condition: string, cause: string, message = cause): string => {
      this.#recorder.event(hpa, 'Warning', reason, cause);
      draft.set('ScalingActive', 'False', condition, message);
      return cause;
    };
    const text = scale.status?.selector ?? '';
    if (text === '')
      return refuse('SelectorRequired', 'InvalidSelector', 'selector is required', "the HPA target's scale is missing a selector");
    const selector = parseLabelSelector(text);
    if (isSelectorError(selector)) {
      const cause = `couldn't convert selector into a corresponding internal selector object: ${selector.error}`;
      return refuse('InvalidSelector', 'InvalidSelector', cause);
    }
    this.#selectors.set(objectKey(hpa), selector);
    const namespace = hpa.metadata.namespace ?? '';
    const pods = this.#podsOf(namespace, selector);
    const others = [...this.#selectors]
      .filter(([key, other]) => key.startsWith(`${namespace}/`) && pods.some((pod) => labelsMatch(other, pod.metadata.labels)))
      .map(([key]) => key)
      .sort();
    if (others.length <= 1) return selector;
    return refuse(
      'AmbiguousSelector',
      'AmbiguousSelector',
      `pods by selector ${text} are controlled by multiple HPAs: [${others.join(' ')}]`,
    );
  }

  #podsOf(namespace: string, selector: ParsedLabelSelector): readonly Pod[] {
    return this.#pods.byIndex(byNamespace, namespace).filter((pod) => labelsMatch(selector, pod.metadata.labels));
  }

  *#proposal(hpa: HorizontalPodAutoscaler, scale: Scale, selector: ParsedLabelSelector, spec: MetricSpec): Task<MetricProposal> {
    const namespace = hpa.metadata.namespace ?? '';
    const { container } = spec.containerResource ?? {};
    const source = spec.type === 'Resource' ? spec.resource : spec.type === 'ContainerResource' ? spec.containerResource : undefined;
    if (source === undefined) return adapterMetric(spec, namespace);
    const { averageUtilization, averageValue } = source.target;
    const refuse = (cause: string): MetricFailure => {
      const text = `failed to get ${source.name} ${averageUtilization === undefined ? 'usage' : 'utilization'}: ${cause}`;
      return container === undefined
        ? {
            ok: false,
            reason: 'FailedGetResourceMetric',
            cause: text,
            message: `failed to get ${source.name} resource metric value: ${text}`,
          }
        : {
            ok: false,
            reason: 'FailedGetContainerResourceMetric',
            cause: text,
            message: `failed to get ${container} container metric value: ${text}`,
          };
    };
    const unavailable = (why: string): MetricFailure => refuse(`unable to get metrics for resource ${source.name}: ${why}`);
    const answer = yield* this.#metrics.list(namespace, selector);
    if (!answer.ok) return unavailable(`unable to fetch metrics from resource metrics API: ${answer.message}`);
    if (answer.pods.length === 0) return unavailable('no metrics returned from resource metrics API');
    // Metrics of pods know of no other resources: what is not measured is missing for every pod.
    if (source.name !== 'cpu' && source.name !== 'memory')
      return refuse('did not receive metrics for targeted pods (pods might be unready)');
    const without =
      container === undefined ? undefined : answer.pods.find((pod) => !pod.containers.some((each) => each.name === container));
    if (without !== undefined)
      return unavailable(
        `failed to get container metrics: container ${container} not present in metrics for pod ${namespace}/${without.name}`,
      );
    const target =
      averageUtilization !== undefined ? { utilization: averageUtilization } : { value: quantityMilliValue(quantityOf(averageValue)) };
    const measured: MeasuredResource = { name: source.name, ...(container === undefined ? {} : { container }) };
    return this.#measure(hpa, scale, measured, target, answer.pods, selector, refuse);
  }

  #measure(
    hpa: HorizontalPodAutoscaler,
    scale: Scale,
    resource: MeasuredResource,
    target: { readonly utilization?: number; readonly value?: number },
    metrics: readonly PodMetric[],
    selector: ParsedLabelSelector,
    refuse: (cause: string) => MetricFailure,
  ): MetricProposal {
    const { config, process } = this.#context;
    const pods = this.#podsOf(hpa.metadata.namespace ?? '', selector);
    const times = { cpuInitializationUs: config.hpaCpuInitializationPeriodUs, initialReadinessUs: config.hpaInitialReadinessDelayUs };
    // "Stay as you are" means what was asked for. What there is holds the surge of a rollout as well, and asking for that lets the next surge
    // be larger still (kubernetes#72775).
    const current = (this.#context.defects.has('K12') ? scale.status?.replicas : scale.spec?.replicas) ?? 0;
    const proposal = replicasForResource(
      pods,
      metrics,
      resource,
      target,
      current,
      tolerancesOf(hpa, config.hpaTolerance),
      times,
      process.wall(),
    );
    if (!proposal.ok) return refuse(proposal.message);
    const value = {
      ...(proposal.utilization !== undefined ? { averageUtilization: proposal.utilization } : {}),
      averageValue: formatQuantity(quantityFromMilli(proposal.averageValue)),
    };
    const { name: resourceName, container } = resource;
    // Upstream computeStatusForResourceMetricGeneric: only a utilization tells a container's resource from a pod's.
    const name =
      target.utilization === undefined
        ? `${resourceName} resource`
        : `${resourceName} ${container === undefined ? '' : 'container '}resource utilization (percentage of request)`;
    const status: MetricStatus =
      container === undefined
        ? { type: 'Resource', resource: { name: resourceName, current: value } }
        : { type: 'ContainerResource', containerResource: { name: resourceName, container, current: value } };
    return { ok: true, replicas: proposal.replicas, name, status };
  }

  *#write(hpa: HorizontalPodAutoscaler, status: HorizontalPodAutoscalerStatus): Task<void> {
    // A count of zero is stored as none: without this, an autoscaler of a target without replicas is written in every sync.
    const counted = (each: HorizontalPodAutoscalerStatus | undefined): object => ({ ...each, currentReplicas: each?.currentReplicas ?? 0 });
    if (semanticEqual(counted(hpa.status), counted(status))) return;
    const written = yield* this.#context.client.resource(HORIZONTAL_POD_AUTOSCALERS).updateStatus({ ...hpa, status });
    if (!written.ok) this.#recorder.event(hpa, 'Warning', 'FailedUpdateStatus', written.message);
  }
}

function noKind(kind: string): ApiFailure {
  return { ok: false, reason: 'NotFound', code: 404, message: `no matches for kind ${JSON.stringify(kind)}`, sent: true };
}

/** The status of an autoscaler as one sync changes it. */
class StatusDraft {
  value: HorizontalPodAutoscalerStatus;
  readonly #wallUs: number;

  constructor(hpa: HorizontalPodAutoscaler, wallUs: number) {
    this.value = { ...hpa.status, desiredReplicas: hpa.status?.desiredReplicas ?? 0 };
    this.#wallUs = wallUs;
  }

  /** Upstream setConditionInList. */
  set(type: string, status: 'True' | 'False', reason: string, message: string): void {
    const conditions = this.value.conditions ?? [];
    const at = conditions.findIndex((condition) => condition.type === type);
    const old = at < 0 ? undefined : (conditions[at] as Condition);
    const since = old?.status === status ? old.lastTransitionTime : formatTime(this.#wallUs);
    const next: Condition = { type, status, ...(since !== undefined ? { lastTransitionTime: since } : {}), reason, message };
    this.value = {
      ...this.value,
      conditions: at < 0 ? [...conditions, next] : conditions.map((condition, i) => (i === at ? next : condition)),
    };
  }
}
