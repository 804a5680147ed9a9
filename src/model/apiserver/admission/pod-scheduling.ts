import type { UntypedObject } from '../../api/object.ts';
import { forbidden } from '../../api/status.ts';
import type { Pod, PriorityClass, RuntimeClass, Toleration } from '../../api/types.ts';
import { refuse } from '../refusal.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../server-context.ts';
import { cachedAll, cachedOne, kindNamed } from './lookup.ts';

const systemClasses: ReadonlySet<string> = new Set(['system-cluster-critical', 'system-node-critical']);

function isNewPod({ kind, operation, subresource }: AdmissionRequest): boolean {
  return kind.kind === 'Pod' && operation === 'CREATE' && subresource === '';
}

/** Priority: the number of a pod's class, or of the default class. */
export const priority: AdmissionPlugin = {
  name: 'Priority',
  handles: (request) => isNewPod(request) || request.kind.kind === 'PriorityClass',
  *admit(request, server) {
    if (!isNewPod(request)) return request.object;
    const pod = request.object as Pod | undefined;
    if (pod === undefined) return request.object;
    const refused = (why: string): never => refuse(forbidden(request.kind, pod.metadata.name ?? '', why));
    const classes = kindNamed(server, 'scheduling.k8s.io', 'v1', 'priorityclasses');
    let value = 0;
    let policy = 'PreemptLowerPriority';
    let className = pod.spec.priorityClassName ?? '';
    if (className === '') {
      const all = (yield* cachedAll(server, classes, undefined)) as unknown as readonly PriorityClass[];
      let chosen: PriorityClass | undefined;
      for (const item of all) if (item.globalDefault === true && (chosen === undefined || item.value < chosen.value)) chosen = item;
      if (chosen !== undefined) {
        className = chosen.metadata.name ?? '';
        value = chosen.value;
        policy = chosen.preemptionPolicy ?? policy;
      }
    } else {
      const found = (yield* cachedOne(server, classes, '', className)) as unknown as PriorityClass | undefined;
      if (found === undefined) return refused(`no PriorityClass with name ${className} was found`);
      value = found.value;
      policy = found.preemptionPolicy ?? policy;
    }
    if (pod.spec.priority !== undefined && pod.spec.priority !== value) {
      return refused(
        `the integer value of priority (${pod.spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
      );
    }
    if (pod.spec.preemptionPolicy !== undefined && pod.spec.preemptionPolicy !== policy) {
      return refused(
        `the string value of PreemptionPolicy (${pod.spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
      );
    }
    const spec = { ...pod.spec, ...(className === '' ? {} : { priorityClassName: className }), priority: value, preemptionPolicy: policy };
    return { ...pod, spec } as unknown as UntypedObject;
  },
  *validate(request, server) {
    const { kind, object, operation, name } = request;
    if (kind.kind !== 'PriorityClass') return;
    if (operation === 'DELETE') {
      if (systemClasses.has(name)) refuse(forbidden(kind, name, 'this is a system priority class and cannot be deleted'));
      return;
    }
    if ((object as PriorityClass | undefined)?.globalDefault !== true) return;
    const all = (yield* cachedAll(server, kind, undefined)) as unknown as readonly PriorityClass[];
    const other = all.find((item) => item.globalDefault === true && item.metadata.name !== name);
    if (other !== undefined)
      refuse(forbidden(kind, name, `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`));
  },
};

const notReady = 'node.kubernetes.io/not-ready';
const unreachable = 'node.kubernetes.io/unreachable';

/** DefaultTolerationSeconds: five minutes on a node that is not ready or unreachable. */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  handles: (request) =>
    request.kind.kind === 'Pod' && request.subresource === '' && (request.operation === 'CREATE' || request.operation === 'UPDATE'),
  *admit(request) {
    const pod = request.object as Pod | undefined;
    if (pod === undefined) return request.object;
    const tolerations = pod.spec.tolerations ?? [];
    const covers = (key: string): boolean =>
      tolerations.some(
        (t) => ((t.key ?? '') === key || (t.key ?? '') === '') && ((t.effect ?? '') === 'NoExecute' || (t.effect ?? '') === ''),
      );
    const added: Toleration[] = [];
    for (const key of [notReady, unreachable]) {
      if (!covers(key)) added.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 });
    }
    if (added.length === 0) return request.object;
    return { ...pod, spec: { ...pod.spec, tolerations: [...tolerations, ...added] } } as unknown as UntypedObject;
  },
};

/** RuntimeClass: overhead, selector and tolerations of a pod's runtime class. */
export const runtimeClass: AdmissionPlugin = {
  name: 'RuntimeClass',
  handles: isNewPod,
  *admit(request, server) {
    const pod = request.object as Pod | undefined;
    if (pod === undefined) return request.object;
    const refused = (why: string): never => refuse(forbidden(request.kind, pod.metadata.name ?? '', why));
    const className = pod.spec.runtimeClassName;
    const overhead = (pod.spec as { readonly overhead?: object }).overhead;
    if (className === undefined)
      return overhead === undefined
        ? request.object
        : refused('pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
    const found = (yield* cachedOne(server, kindNamed(server, 'node.k8s.io', 'v1', 'runtimeclasses'), '', className)) as unknown as
      | RuntimeClass
      | undefined;
    if (found === undefined) return refused(`pod rejected: RuntimeClass ${JSON.stringify(className)} not found`);
    let spec = pod.spec;
    if (found.overhead?.podFixed !== undefined) spec = { ...spec, overhead: found.overhead.podFixed };
    const selector = found.scheduling?.nodeSelector;
    if (selector !== undefined) {
      for (const key of Object.keys(selector).sort()) {
        const given = spec.nodeSelector?.[key];
        if (given !== undefined && given !== selector[key])
          refused(`conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${selector[key]}; pod.spec.nodeSelector[${key}] = ${given}`);
      }
      spec = { ...spec, nodeSelector: { ...spec.nodeSelector, ...selector } };
    }
    if (found.scheduling?.tolerations !== undefined)
      spec = { ...spec, tolerations: [...(spec.tolerations ?? []), ...found.scheduling.tolerations] };
    return { ...pod, spec } as unknown as UntypedObject;
  },
};

const extendedPrefix = /^(?!kubernetes\.io\/)(?!.*\.kubernetes\.io\/)[^/]+\/.+$/;

/** ExtendedResourceToleration (off by default): a pod tolerates the taints named after its extended resources. */
export const extendedResourceToleration: AdmissionPlugin = {
  name: 'ExtendedResourceToleration',
  handles: (request) =>
    request.kind.kind === 'Pod' && request.subresource === '' && (request.operation === 'CREATE' || request.operation === 'UPDATE'),
  *admit(request) {
    const pod = request.object as Pod | undefined;
    if (pod === undefined) return request.object;
    const names = new Set<string>();
    for (const container of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]) {
      for (const name of Object.keys(container.resources?.requests ?? {})) if (extendedPrefix.test(name)) names.add(name);
    }
    const tolerations = [...(pod.spec.tolerations ?? [])];
    for (const key of [...names].sort()) {
      if (!tolerations.some((t) => t.key === key && t.operator === 'Exists' && t.effect === 'NoSchedule'))
        tolerations.push({ key, operator: 'Exists', effect: 'NoSchedule' });
    }
    return names.size === 0 ? request.object : ({ ...pod, spec: { ...pod.spec, tolerations } } as unknown as UntypedObject);
  },
};

/** AlwaysPullImages (off by default). */
export const alwaysPullImages: AdmissionPlugin = {
  name: 'AlwaysPullImages',
  handles: (request) =>
    request.kind.kind === 'Pod' && request.subresource === '' && (request.operation === 'CREATE' || request.operation === 'UPDATE'),
  *admit(request) {
    const pod = request.object as Pod | undefined;
    if (pod === undefined) return request.object;
    const always = <T extends object>(items: readonly T[]): readonly T[] => items.map((item) => ({ ...item, imagePullPolicy: 'Always' }));
    const { containers, initContainers, ephemeralContainers } = pod.spec;
    const spec = {
      ...pod.spec,
      containers: always(containers),
      ...(initContainers === undefined ? {} : { initContainers: always(initContainers) }),
      ...(ephemeralContainers === undefined ? {} : { ephemeralContainers: always(ephemeralContainers) }),
    };
    return { ...pod, spec } as unknown as UntypedObject;
  },
};
