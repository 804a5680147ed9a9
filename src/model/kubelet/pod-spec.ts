import { hashText } from '../../sim/mix.ts';
import type { Container, Pod, PodSpec } from '../api/types.ts';
import type { ContainerRecord, PodRecords, SandboxRecord } from './cri.ts';
import type { ContainerRole } from './app.ts';

/** Questions about a pod's specification that several parts of the kubelet ask. */

export interface SpecContainer {
  readonly container: Container;
  readonly role: ContainerRole;
}

/** An init container that goes on running beside the main ones (KEP-753). */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

/** Whether an init container of the spec is a sidecar, by name. */
export function initContainer(spec: PodSpec, name: string): Container | undefined {
  return spec.initContainers?.find((container) => container.name === name);
}

/** All containers in the order init, main, ephemeral. */
export function allContainers(spec: PodSpec): readonly SpecContainer[] {
  return [
    ...(spec.initContainers ?? []).map((container): SpecContainer => ({ container, role: isSidecar(container) ? 'sidecar' : 'init' })),
    ...spec.containers.map((container): SpecContainer => ({ container, role: 'main' })),
    ...(spec.ephemeralContainers ?? []).map(
      (container): SpecContainer => ({ container: container as unknown as Container, role: 'ephemeral' }),
    ),
  ];
}

/** Newest record of that container in the pod. */
export function recordOf(records: PodRecords | undefined, name: string): ContainerRecord | undefined {
  return records?.containers.find((container) => container.name === name);
}

/** The sandbox that is up, or undefined. */
export function readySandbox(records: PodRecords | undefined): SandboxRecord | undefined {
  return records?.sandboxes.find((sandbox) => sandbox.state === 'ready');
}

const hashes = new WeakMap<Container, string>();

/**
 * What makes a running container's definition changed (upstream HashContainer): name and image. Resources are resized in place,
 * everything else of a running pod's containers is immutable.
 */
export function specHash(container: Container): string {
  let hash = hashes.get(container);
  if (hash === undefined) {
    hash = hashText(`${container.name}|${container.image ?? ''}`).toString(16);
    hashes.set(container, hash);
  }
  return hash;
}

/** Exit code of a record whose run is over. */
function exited(record: ContainerRecord | undefined): record is ContainerRecord {
  return record?.state === 'exited';
}

interface RestartRule {
  readonly action?: string;
  readonly exitCodes?: { readonly operator?: string; readonly values?: readonly number[] };
}

/** A container's own restart policy and rules (KEP-5307), else the pod's policy. */
export function restartsAfter(container: Container, pod: Pod, exitCode: number): boolean {
  for (const rule of (container.restartPolicyRules ?? []) as readonly RestartRule[]) {
    const values = rule.exitCodes?.values ?? [];
    const within = values.includes(exitCode);
    if (rule.action === 'Restart' && (rule.exitCodes?.operator === 'NotIn' ? !within : within)) return true;
  }
  switch (container.restartPolicy ?? pod.spec.restartPolicy ?? 'Always') {
    case 'Never':
      return false;
    case 'OnFailure':
      return exitCode !== 0;
    default:
      return true;
  }
}

/** Upstream kubecontainer.ShouldContainerBeRestarted. */
export function shouldBeRestarted(container: Container, pod: Pod, records: PodRecords | undefined): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  const record = recordOf(records, container.name);
  if (record === undefined) return true;
  if (record.state === 'running') return false;
  if (record.state === 'unknown' || record.state === 'created') return true;
  return restartsAfter(container, pod, record.exitCode);
}

/** Whether any main container was ever created (upstream hasAnyRegularContainerCreated). */
export function hasMainContainerCreated(pod: Pod, records: PodRecords | undefined): boolean {
  return pod.spec.containers.some((container) => recordOf(records, container.name) !== undefined);
}

/** As {@link hasMainContainerCreated}, in the newest sandbox only: a new sandbox starts from the beginning. */
export function hasActiveMainContainer(pod: Pod, records: PodRecords | undefined): boolean {
  const sandboxId = records?.sandboxes[0]?.id;
  return pod.spec.containers.some((container) => recordOf(records, container.name)?.sandboxId === sandboxId && sandboxId !== undefined);
}

export function succeeded(record: ContainerRecord | undefined): boolean {
  return exited(record) && record.exitCode === 0;
}

/** "name_namespace(uid)", as messages name pods (upstream format.Pod). */
export function podText(pod: Pod): string {
  return `${pod.metadata.name ?? ''}_${pod.metadata.namespace ?? ''}(${pod.metadata.uid ?? ''})`;
}

/** Static pods carry where they came from. */
export const CONFIG_SOURCE_ANNOTATION = 'kubernetes.io/config.source';
export const CONFIG_MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';
export const CONFIG_HASH_ANNOTATION = 'kubernetes.io/config.hash';
export const CONFIG_SEEN_ANNOTATION = 'kubernetes.io/config.seen';

export function isStatic(pod: Pod): boolean {
  const source = pod.metadata.annotations?.[CONFIG_SOURCE_ANNOTATION];
  return source !== undefined && source !== 'api';
}

export function isMirror(pod: Pod): boolean {
  return pod.metadata.annotations?.[CONFIG_MIRROR_ANNOTATION] !== undefined;
}

/** Upstream kubelettypes.IsCriticalPod. */
export function isCritical(pod: Pod): boolean {
  return isStatic(pod) || isMirror(pod) || (pod.spec.priority ?? 0) >= 2_000_000_000;
}
