import type { Container, ContainerStatus, Pod } from '../../../model/api/types.ts';

/** The fields of a pod that recordings name, by their names there. Absent fields are absent here. */
export type Fields = Readonly<Record<string, unknown>>;

/** Flattens a pod: goldens/kubelet/README.md, "Format". `ids` numbers container ids in order of appearance. */
export function fieldsOf(pod: Pod, ids: (id: string) => string, podIp: (ip: string) => string): Fields {
  const out: Record<string, unknown> = {};
  const set = (name: string, value: unknown) => {
    if (value !== undefined && value !== '') out[name] = value;
  };
  const { metadata, status } = pod;
  set('generation', metadata.generation);
  if (metadata.deletionTimestamp !== undefined) set('deleting', `grace ${metadata.deletionGracePeriodSeconds ?? 0}`);
  if ((metadata.finalizers?.length ?? 0) > 0) set('finalizers', metadata.finalizers);
  if (metadata.labels !== undefined && metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) set('labels', metadata.labels);
  if (metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) {
    set('mirror', true);
    set('annotations', Object.keys(metadata.annotations).sort().join(' '));
    const owner = metadata.ownerReferences?.[0];
    if (owner !== undefined) set('owner', `${owner.kind}/${owner.name}`);
  }
  if (status === undefined) return out;
  set('phase', status.phase);
  set('reason', status.reason);
  set('message', status.message);
  set('qosClass', status.qosClass);
  set('hostIP', status.hostIP === undefined ? undefined : '<hostIP>');
  set('hostIPs', status.hostIPs?.length);
  set('podIP', status.podIP === undefined ? undefined : podIp(status.podIP));
  set('podIPs', status.podIPs?.length);
  set('startTime', status.startTime === undefined ? undefined : '<time>');
  set('observedGeneration', status.observedGeneration);
  for (const condition of status.conditions ?? []) {
    const { type, lastTransitionTime: _transition, lastProbeTime: _probe, ...rest } = condition;
    out[`cond.${type}`] = dropEmpty(rest);
  }
  if (status.conditions !== undefined) set('condOrder', status.conditions.map((condition) => condition.type).join(' '));
  const specs = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const lists: readonly (readonly [string, readonly ContainerStatus[] | undefined])[] = [
    ['init', status.initContainerStatuses],
    ['ctr', status.containerStatuses],
    ['eph', status.ephemeralContainerStatuses],
  ];
  for (const [prefix, statuses] of lists) for (const each of statuses ?? []) addContainer(out, `${prefix}.${each.name}`, each, ids, specs);
  return out;
}

function addContainer(
  out: Record<string, unknown>,
  at: string,
  status: ContainerStatus,
  ids: (id: string) => string,
  _specs: readonly Container[],
): void {
  if (status.containerID !== undefined && status.containerID !== '') out[`${at}.containerID`] = ids(status.containerID);
  out[`${at}.state`] = stateText(status.state ?? {}, ids);
  out[`${at}.lastState`] = stateText(status.lastState ?? {}, ids);
  out[`${at}.ready`] = status.ready;
  out[`${at}.restartCount`] = status.restartCount;
  out[`${at}.image`] = status.image;
  out[`${at}.imageID`] = status.imageID.replace(/sha256:[0-9a-f]+/, '<digest>');
  if (status.started !== undefined) out[`${at}.started`] = status.started;
  if (status.resources !== undefined) out[`${at}.resources`] = status.resources;
  if (status.allocatedResources !== undefined) out[`${at}.allocatedResources`] = status.allocatedResources;
  if (status.volumeMounts !== undefined) out[`${at}.volumeMounts`] = status.volumeMounts;
}

type State = NonNullable<ContainerStatus['state']>;

function stateText(state: State, ids: (id: string) => string): unknown {
  const time = (value: unknown) => (value === undefined ? undefined : value === null ? null : '<time>');
  if (state.running !== undefined) return { running: dropEmpty({ startedAt: time(state.running.startedAt) }) };
  if (state.waiting !== undefined) return { waiting: dropEmpty(state.waiting as unknown as Record<string, unknown>) };
  if (state.terminated !== undefined) {
    const { containerID, startedAt, finishedAt, ...rest } = state.terminated;
    return {
      terminated: dropEmpty({
        ...rest,
        startedAt: time(startedAt),
        finishedAt: time(finishedAt),
        containerID: containerID === undefined ? undefined : ids(containerID),
      }),
    };
  }
  return {};
}

function dropEmpty(map: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(map)) if (map[key] !== undefined && map[key] !== '') out[key] = map[key];
  return out;
}

/** What changed between two states; null: gone. */
export function changes(before: Fields, after: Fields): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(after)) if (!sameJson(before[key], after[key])) out[key] = after[key];
  for (const key of Object.keys(before)) if (!(key in after)) out[key] = null;
  return out;
}

export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  return keys.every((key) => key in right && sameJson(left[key], right[key]));
}
