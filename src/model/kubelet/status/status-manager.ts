import type { Process } from '../../../sim/process.ts';
import type { Task } from '../../../sim/task.ts';
import { MILLISECOND, type Micros } from '../../../sim/time.ts';
import { formatTime } from '../../api/time.ts';
import type { Json } from '../../api/object.ts';
import type { ContainerStatus, Pod, PodCondition, PodStatus } from '../../api/types.ts';
import { PODS } from '../../client/resources.ts';
import { isNotFound } from '../../client/result.ts';
import type { Client } from '../../client/typed-client.ts';
import type { KubeletConfig } from '../config.ts';
import { conditionOf, containersReady, isOwnedCondition, podReady, withTransitionTime } from './conditions.ts';
import { isTerminalPhase } from './phase.ts';
import { sameStatus } from './same-status.ts';
import { isStatic } from '../pod-spec.ts';
import { bareId } from '../probes/worker.ts';

interface Entry {
  pod: Pod;
  status: PodStatus;
  version: number;
  /** The version that the API server has, in the object of this uid. */
  sentVersion: number;
  sentTo: string;
  /** The pod's worker is done: nothing of it is left on the node. */
  finished: boolean;
}

/** A status on its way to the API server. */
interface Outgoing {
  readonly uid: string;
  readonly entry: Entry;
  readonly version: number;
  readonly finished: boolean;
  readonly proposed: PodStatus;
}

export interface StatusManagerOptions {
  readonly process: Process;
  readonly client: Client;
  readonly config: KubeletConfig;
  /** Containers of the pod may still run: its phase must not become terminal. */
  readonly couldHaveRunningContainers: (podUid: string) => boolean;
  /** The pod whose status an object of the API shows: a mirror pod shows its static pod's. */
  readonly owner: (apiUid: string) => string;
  /** A static pod's mirror is not there yet (or not any more). */
  readonly lacksMirror: (pod: Pod) => boolean;
  readonly onChange: (pod: Pod, status: PodStatus) => void;
}

/**
 * Keeps each pod's status and brings it to the API server, one call at a time: upstream pkg/kubelet/status/status_manager.go. Versions
 * coalesce: what is sent is the newest status, and states in between are lost while the API server is away.
 */
export class StatusManager {
  readonly #options: StatusManagerOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #queue: string[] = [];
  readonly #queued = new Set<string>();
  readonly #startedAt: number;
  #working = false;
  #retryTimer = 0;
  readonly #retry = new Set<string>();
  /** Static pods whose status waits for their mirrors. */
  readonly #mirrorless = new Set<string>();

  constructor(options: StatusManagerOptions) {
    this.#options = options;
    this.#startedAt = options.process.mono();
  }

  get(podUid: string): PodStatus | undefined {
    return this.#entries.get(podUid)?.status;
  }

  /** Takes a newly generated status. */
  set(pod: Pod, status: PodStatus): void {
    this.#update(pod, status, false, pod.metadata.deletionTimestamp !== undefined);
  }

  setReadiness(podUid: string, containerId: string, ready: boolean): void {
    this.#setContainer(podUid, containerId, 'ready', (status) => (status.ready === ready ? status : { ...status, ready }));
  }

  setStarted(podUid: string, containerId: string, started: boolean): void {
    this.#setContainer(podUid, containerId, 'started', (status) => (status.started === started ? status : { ...status, started }));
  }

  #setContainer(
    podUid: string,
    containerId: string,
    what: 'ready' | 'started',
    change: (status: ContainerStatus) => ContainerStatus,
  ): void {
    const entry = this.#entries.get(podUid);
    if (entry === undefined) return;
    const apply = (statuses: readonly ContainerStatus[] | undefined) =>
      statuses?.map((status) => (bareId(status.containerID) === containerId ? change(status) : status));
    const { status, pod } = entry;
    const main = apply(status.containerStatuses) ?? [];
    const init = apply(status.initContainerStatuses);
    const found = [...main, ...(init ?? [])].some((s) => bareId(s.containerID) === containerId);
    if (!found) return;
    const all = [...main, ...(init ?? [])];
    const generation = pod.metadata.generation;
    const others = (status.conditions ?? []).filter((condition) => !isOwnedCondition(condition.type));
    const ready = containersReady(pod, all, status.phase, generation);
    const replaced: Record<string, PodCondition> = {
      Ready: podReady(pod, ready, others, generation),
      ContainersReady: ready,
    };
    // `started` alone changes no condition: that is the next sync's.
    const conditions =
      what === 'started' ? status.conditions : (status.conditions ?? []).map((condition) => replaced[condition.type] ?? condition);
    this.#update(
      pod,
      {
        ...status,
        containerStatuses: main,
        ...(init === undefined ? {} : { initContainerStatuses: init }),
        ...(conditions === undefined ? {} : { conditions }),
      },
      false,
      false,
    );
  }

  /** Nothing of the pod runs any more: containers that are not known to have ended count as killed. Upstream TerminatePod. */
  terminate(pod: Pod): void {
    const entry = this.#entries.get(pod.metadata.uid ?? '');
    const before = entry?.status ?? pod.status;
    if (before === undefined) return;
    const end = (status: ContainerStatus, isInit: boolean): ContainerStatus => {
      if (status.state?.terminated !== undefined) return status;
      const neverStarted = status.state?.waiting !== undefined && status.lastState?.terminated === undefined && isInit;
      if (neverStarted) return status;
      return {
        ...status,
        ready: false,
        started: false,
        state: {
          terminated: {
            exitCode: 137,
            reason: 'ContainerStatusUnknown',
            message: 'The container could not be located when the pod was terminated',
            startedAt: null as unknown as string,
            finishedAt: null as unknown as string,
          },
        },
      };
    };
    const initDone = (before.containerStatuses ?? []).some(
      (status) => status.state?.waiting === undefined || status.lastState?.terminated !== undefined,
    );
    const status: PodStatus = {
      ...before,
      ...(before.containerStatuses === undefined
        ? {}
        : {
            containerStatuses: before.containerStatuses.map((s) =>
              initDone || (pod.spec.initContainers ?? []).length === 0 ? endMain(s, end) : s,
            ),
          }),
      ...(before.initContainerStatuses === undefined
        ? {}
        : { initContainerStatuses: before.initContainerStatuses.map((s) => end(s, true)) }),
    };
    // A static pod that is taken away keeps its phase (kubernetes#116484).
    const phase = isTerminalPhase(status.phase) || isStatic(pod) ? status.phase : terminalPhaseOf(status);
    this.#update(pod, phase === undefined ? status : { ...status, phase }, true, true);
  }

  /** Forgets a pod that is gone from the API and from the node. */
  remove(podUid: string): void {
    this.#entries.delete(podUid);
    this.#retry.delete(podUid);
    this.#mirrorless.delete(podUid);
  }

  /** The API's copy of the pod changed: a status that others wrote over ours is put right at the next look. */
  podChanged(pod: Pod): void {
    const apiUid = pod.metadata.uid ?? '';
    const uid = this.#options.owner(apiUid);
    const entry = this.#entries.get(uid);
    if (entry === undefined) return;
    const mirrored = uid !== apiUid;
    if (!mirrored) entry.pod = pod;
    // A mirror that has just been made is told at the next look, or with the next news of any pod.
    if (mirrored && entry.sentTo !== apiUid) this.#enqueueLater(uid);
    if (entry.sentVersion < entry.version) return;
    if (entry.finished && pod.metadata.deletionTimestamp !== undefined && !mirrored) this.#enqueue(uid);
    else if (pod.status !== undefined && !sameStatus(this.#merged(pod, entry.status), pod.status)) this.#enqueueLater(uid);
  }

  #update(pod: Pod, proposed: PodStatus, finished: boolean, force: boolean): void {
    const uid = pod.metadata.uid ?? '';
    const { process } = this.#options;
    const now = process.wall();
    const entry = this.#entries.get(uid);
    const before = entry?.status ?? pod.status;
    const conditions = (proposed.conditions ?? []).map((condition) => withTransitionTime(condition, before, now));
    const startTime = before?.startTime ?? formatTime(now);
    const status: PodStatus = withShortMessages({ ...proposed, conditions, startTime });
    if (entry !== undefined) {
      const same = sameByKubelet(entry.status, status);
      entry.pod = pod;
      if (same && entry.finished === (entry.finished || finished)) {
        void force;
        return;
      }
      entry.status = same ? entry.status : status;
      entry.version++;
      entry.finished ||= finished;
    } else this.#entries.set(uid, { pod, status, version: 1, sentVersion: 0, sentTo: '', finished });
    this.#options.onChange(pod, status);
    this.#enqueue(uid);
  }

  #enqueue(uid: string): void {
    if (this.#queued.has(uid)) return;
    this.#queued.add(uid);
    this.#queue.push(uid);
    if (this.#working) return;
    this.#working = true;
    this.#options.process.spawn('status-manager', this.#work());
  }

  /** At the next turn of the periodic look (every 10 s), which costs nothing while there is nothing to look at. */
  #enqueueLater(uid: string): void {
    this.#retry.add(uid);
    if (this.#retryTimer !== 0) return;
    const { process, config } = this.#options;
    const period = config.statusSyncPeriodUs;
    const delay = period - ((process.mono() - this.#startedAt) % period);
    this.#retryTimer = process.after(delay, () => {
      this.#retryTimer = 0;
      const due = [...this.#retry].sort();
      this.#retry.clear();
      for (const pod of due) this.#enqueue(pod);
    });
  }

  *#work(): Task<void> {
    const { process } = this.#options;
    // It is a goroutine of its own: where it has to wait for a CPU, what comes meanwhile is told together.
    if (process.random.chance(1, 2)) yield* process.sleep(process.random.below(WAKE_UP_MAX) + 1);
    // News of one pod is the occasion to try all that wait (syncBatch).
    for (const uid of [...this.#mirrorless].sort()) this.#enqueue(uid);
    while (this.#queue.length > 0) {
      // What is sent is the status as of the start of the batch; a change during its calls is a version of its own.
      const batch = this.#queue.splice(0).flatMap((uid) => {
        const entry = this.#entries.get(uid);
        return entry === undefined ? [] : [{ uid, entry, version: entry.version, finished: entry.finished, proposed: entry.status }];
      });
      this.#queued.clear();
      for (const one of batch) yield* this.#sync(one);
    }
    this.#working = false;
  }

  /** Upstream syncPod: reads the pod, patches its status, and deletes the object once a deleted pod is finished. */
  *#sync({ uid, entry, version, finished, proposed }: Outgoing): Task<void> {
    if (this.#entries.get(uid) !== entry) return;
    if (this.#options.lacksMirror(entry.pod)) {
      this.#mirrorless.add(uid);
      return;
    }
    this.#mirrorless.delete(uid);
    const pods = this.#options.client.resource(PODS);
    const { namespace = '', name = '' } = entry.pod.metadata;
    const got = yield* pods.get(namespace, name);
    if (!got.ok) {
      // Gone: nothing to tell, the watch will say so.
      if (!isNotFound(got)) this.#enqueueLater(uid);
      return;
    }
    const pod = got.object;
    const apiUid = pod.metadata.uid ?? '';
    if (this.#options.owner(apiUid) !== uid) {
      // Somebody else has the name now: this pod is gone. Of a mirror that the kubelet has not seen yet it cannot tell.
      if (!isStatic(entry.pod)) this.#entries.delete(uid);
      return;
    }
    const status = this.#merged(pod, proposed);
    if (pod.status === undefined || !sameStatus(status, pod.status)) {
      // A patch without a resourceVersion, but of this very pod: a foreign condition written meanwhile stays.
      const patch = { metadata: { uid: apiUid }, status: patchOf(pod.status, status) } as unknown as Json;
      const patched = yield* pods.patch(namespace, name, 'strategic', patch, { subresource: 'status' });
      if (!patched.ok) {
        if (!isNotFound(patched)) this.#enqueueLater(uid);
        return;
      }
    }
    entry.sentVersion = entry.sentTo === apiUid ? Math.max(entry.sentVersion, version) : version;
    entry.sentTo = apiUid;
    // A mirror is deleted with its static pod, not by its own end.
    if (pod.metadata.deletionTimestamp !== undefined && finished && apiUid === uid) {
      const deleted = yield* pods.delete(namespace, name, { options: { gracePeriodSeconds: 0, preconditions: { uid } } });
      if (!deleted.ok && !isNotFound(deleted)) this.#enqueueLater(uid);
    }
  }

  /** Upstream mergePodStatus: foreign conditions stay, a phase is not terminal before the containers are known to be gone. */
  #merged(pod: Pod, status: PodStatus): PodStatus {
    const old = pod.status;
    const conditions: PodCondition[] = [];
    for (const condition of old?.conditions ?? []) {
      if (isOwnedCondition(condition.type)) continue;
      // Shared between the kubelet and whoever evicts: ours where we set one.
      conditions.push(
        condition.type === 'DisruptionTarget' ? (conditionOf(status.conditions, 'DisruptionTarget') ?? condition) : condition,
      );
    }
    for (const condition of status.conditions ?? []) {
      const isOurs = isOwnedCondition(condition.type) || condition.type === 'DisruptionTarget';
      if (isOurs && conditionOf(conditions, condition.type) === undefined) conditions.push(condition);
    }
    const held =
      isTerminalPhase(status.phase) && !isTerminalPhase(old?.phase) && this.#options.couldHaveRunningContainers(pod.metadata.uid ?? '');
    // A disruption of ours is told together with the end of the pod.
    const told = held
      ? conditions.filter(
          (condition) => condition.type !== 'DisruptionTarget' || conditionOf(old?.conditions, 'DisruptionTarget') !== undefined,
        )
      : conditions;
    let merged: PodStatus = { ...status, conditions: told, ...(old?.qosClass === undefined ? {} : { qosClass: old.qosClass }) };
    if (held) {
      const { reason: _reason, message: _message, ...rest } = merged;
      merged = {
        ...rest,
        ...(old?.phase === undefined ? {} : { phase: old.phase }),
        ...(old?.reason === undefined ? {} : { reason: old.reason }),
        ...(old?.message === undefined ? {} : { message: old.message }),
      };
    }
    if (isTerminalPhase(merged.phase)) {
      const now = this.#options.process.wall();
      merged = { ...merged, conditions: (merged.conditions ?? []).map((condition) => unready(condition, pod, merged.phase, now)) };
    }
    return merged;
  }
}

/** How long the status manager's goroutine waits for a CPU at the most: some milliseconds on a busy machine. */
const WAKE_UP_MAX: Micros = 4 * MILLISECOND;

/** All termination messages of a pod together (MaxPodTerminationMessageLogLength). */
const MESSAGES_MAX = 12 * 1024;

/** Upstream normalizeStatus: each container has its share of the pod's room for termination messages. */
function withShortMessages(status: PodStatus): PodStatus {
  const count =
    (status.containerStatuses?.length ?? 0) +
    (status.initContainerStatuses?.length ?? 0) +
    (status.ephemeralContainerStatuses?.length ?? 0);
  const max = count === 0 ? MESSAGES_MAX : Math.floor(MESSAGES_MAX / count);
  const isLong = (s: ContainerStatus) =>
    (s.state?.terminated?.message?.length ?? 0) > max || (s.lastState?.terminated?.message?.length ?? 0) > max;
  const shorten = (state: ContainerStatus['state']) => {
    const terminated = state?.terminated;
    return terminated?.message === undefined || terminated.message.length <= max
      ? state
      : { terminated: { ...terminated, message: terminated.message.slice(0, max) } };
  };
  if (!(status.containerStatuses ?? []).some(isLong) && !(status.initContainerStatuses ?? []).some(isLong)) return status;
  const fix = (s: ContainerStatus): ContainerStatus => {
    const state = shorten(s.state);
    const lastState = shorten(s.lastState);
    return { ...s, ...(state === undefined ? {} : { state }), ...(lastState === undefined ? {} : { lastState }) };
  };
  return {
    ...status,
    ...(status.containerStatuses === undefined ? {} : { containerStatuses: status.containerStatuses.map(fix) }),
    ...(status.initContainerStatuses === undefined ? {} : { initContainerStatuses: status.initContainerStatuses.map(fix) }),
  };
}

/** Upstream isPodStatusByKubeletEqual: of its own conditions only what they say counts, not of which generation of the pod they say it. */
function sameByKubelet(a: PodStatus, b: PodStatus): boolean {
  const own = (status: PodStatus) =>
    (status.conditions ?? [])
      .filter(({ type }) => isOwnedCondition(type) || type === 'DisruptionTarget')
      .map(({ type, status: value, reason, message }) => ({ type, value, reason, message }));
  if (a.conditions !== b.conditions && !sameStatus(own(a), own(b))) return false;
  return sameStatus({ ...a, conditions: [] }, { ...b, conditions: [] });
}

function endMain(status: ContainerStatus, end: (status: ContainerStatus, isInit: boolean) => ContainerStatus): ContainerStatus {
  return end(status, false);
}

function terminalPhaseOf(status: PodStatus): 'Succeeded' | 'Failed' | undefined {
  const states = status.containerStatuses ?? [];
  if (states.length === 0) return 'Failed';
  return states.every((s) => s.state?.terminated?.exitCode === 0) ? 'Succeeded' : 'Failed';
}

/** A pod in a terminal phase is not ready, whatever its last probe said. */
function unready(condition: PodCondition, pod: Pod, phase: string | undefined, now: number): PodCondition {
  if ((condition.type !== 'Ready' && condition.type !== 'ContainersReady') || condition.status !== 'True') return condition;
  const { lastTransitionTime: _time, ...rest } = containersReady(pod, [], phase, pod.metadata.generation);
  return { ...rest, type: condition.type, lastTransitionTime: formatTime(now) };
}

/** What a strategic merge needs beyond the new status: deletions of fields and of conditions that are gone. */
function patchOf(old: PodStatus | undefined, next: PodStatus): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  const before = (old ?? {}) as Record<string, unknown>;
  const after = next as unknown as Record<string, unknown>;
  for (const key of Object.keys(after)) if (after[key] !== before[key]) patch[key] = after[key];
  for (const key of Object.keys(before)) if (!(key in after) && key !== 'resize' && key !== 'nominatedNodeName') patch[key] = null;
  const gone = (old?.conditions ?? []).filter((condition) => conditionOf(next.conditions, condition.type) === undefined);
  if (gone.length > 0 || patch['conditions'] !== undefined) {
    const conditions = (next.conditions ?? []).map((condition) => ({
      ...condition,
      // A reason or message that is gone must be taken away from the stored condition: entries merge by type.
      ...(condition.reason === undefined && conditionOf(old?.conditions, condition.type)?.reason !== undefined ? { reason: null } : {}),
      ...(condition.message === undefined && conditionOf(old?.conditions, condition.type)?.message !== undefined ? { message: null } : {}),
    }));
    patch['conditions'] = [...conditions, ...gone.map((condition) => ({ $patch: 'delete', type: condition.type }))];
    patch['$setElementOrder/conditions'] = (next.conditions ?? []).map((condition) => ({ type: condition.type }));
  }
  patchAddresses(patch, 'podIPs', old?.podIPs, next.podIPs);
  patchAddresses(patch, 'hostIPs', old?.hostIPs, next.hostIPs);
  return patch;
}

type Addresses = readonly { readonly ip: string }[] | undefined;

/** These lists merge by address, so what is gone must be said. */
function patchAddresses(patch: Record<string, unknown>, field: 'podIPs' | 'hostIPs', old: Addresses, next: Addresses): void {
  if (patch[field] === undefined || next === undefined) return;
  const gone = (old ?? []).filter(({ ip }) => !next.some((other) => other.ip === ip));
  if (gone.length === 0) return;
  patch[field] = [...next, ...gone.map(({ ip }) => ({ $patch: 'delete', ip }))];
  patch[`$setElementOrder/${field}`] = next.map(({ ip }) => ({ ip }));
}
