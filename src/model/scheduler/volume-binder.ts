import { labelSelectorMatches } from '../api/label-selector.ts';
import { compareQuantity, quantityOf } from '../api/quantity.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../api/types.ts';
import { PERSISTENT_VOLUMES, PERSISTENT_VOLUME_CLAIMS } from '../client/resources.ts';
import type { ApiFailure } from '../client/result.ts';
import type { Client } from '../client/typed-client.ts';
import type { Task } from '../../sim/task.ts';
import { MINUTE, SECOND } from '../../sim/time.ts';
import type { SchedulingView, VolumeView } from './framework.ts';
import type { NodeInfo } from './node-info.ts';
import { nodeSelectorMatches } from '../api/node-selector.ts';
import type { PodInfo } from './pod-info.ts';

const selectedNodeAnnotation = 'volume.kubernetes.io/selected-node';
const boundByControllerAnnotation = 'pv.kubernetes.io/bound-by-controller';
const bindCompletedAnnotation = 'pv.kubernetes.io/bind-completed';
const noProvisioner = 'kubernetes.io/no-provisioner';
/** Upstream bindTimeoutSeconds. */
const bindTimeout = 10 * MINUTE;

/** The claims of a pod, by what has to happen to them. */
export interface PodClaims {
  readonly bound: readonly PersistentVolumeClaim[];
  /** Of classes that wait for a consumer: the scheduler chooses. */
  readonly delayed: readonly PersistentVolumeClaim[];
  /** The volume controller should have bound them. */
  readonly immediate: readonly PersistentVolumeClaim[];
}

/** Names of the claims that a pod uses, those of its ephemeral volumes included. */
export function claimNames(pod: Pod): readonly string[] {
  const names: string[] = [];
  for (const volume of pod.spec.volumes ?? []) {
    if (volume.persistentVolumeClaim !== undefined) names.push(volume.persistentVolumeClaim.claimName);
    else if (volume.ephemeral !== undefined) names.push(`${pod.metadata.name ?? ''}-${volume.name}`);
  }
  return names;
}

function classOf(claim: PersistentVolumeClaim, volumes: VolumeView): StorageClass | undefined {
  const name = claim.spec?.storageClassName;
  return name === undefined || name === '' ? undefined : volumes.storageClass(name);
}

/** Sorts the claims; a text: the claim of that name does not exist. */
export function podClaims(pod: Pod, volumes: VolumeView): PodClaims | string {
  const bound: PersistentVolumeClaim[] = [];
  const delayed: PersistentVolumeClaim[] = [];
  const immediate: PersistentVolumeClaim[] = [];
  for (const name of claimNames(pod)) {
    const claim = volumes.claim(pod.metadata.namespace ?? '', name);
    if (claim === undefined) return name;
    const isBound = (claim.spec?.volumeName ?? '') !== '' && claim.metadata.annotations?.[bindCompletedAnnotation] !== undefined;
    if (isBound) bound.push(claim);
    else if (classOf(claim, volumes)?.volumeBindingMode === 'WaitForFirstConsumer' && (claim.spec?.volumeName ?? '') === '')
      delayed.push(claim);
    else immediate.push(claim);
  }
  return { bound, delayed, immediate };
}

export function volumeFitsNode(volume: PersistentVolume, node: NodeInfo): boolean {
  const required = volume.spec?.nodeAffinity?.required;
  return required === undefined || nodeSelectorMatches(required, node);
}

function offers(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const spec = volume.spec;
  if (
    spec === undefined ||
    volume.metadata.deletionTimestamp !== undefined ||
    volume.status?.phase === 'Released' ||
    volume.status?.phase === 'Failed'
  )
    return false;
  if ((spec.storageClassName ?? '') !== (claim.spec?.storageClassName ?? '')) return false;
  if ((spec.volumeMode ?? 'Filesystem') !== (claim.spec?.volumeMode ?? 'Filesystem')) return false;
  if (!(claim.spec?.accessModes ?? []).every((mode) => (spec.accessModes ?? []).includes(mode))) return false;
  if (claim.spec?.selector !== undefined && !labelSelectorMatches(claim.spec.selector, volume.metadata.labels)) return false;
  return compareQuantity(quantityOf(spec.capacity?.storage), quantityOf(claim.spec?.resources?.requests?.storage)) >= 0;
}

function isFor(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const reference = volume.spec?.claimRef;
  if (reference === undefined) return false;
  return (
    reference.name === claim.metadata.name &&
    reference.namespace === claim.metadata.namespace &&
    (reference.uid ?? claim.metadata.uid) === claim.metadata.uid
  );
}

/** The smallest free volume that fits claim and node, a volume reserved for the claim before others. Upstream FindMatchingVolume. */
export function matchingVolume(
  claim: PersistentVolumeClaim,
  node: NodeInfo,
  volumes: VolumeView,
  taken: ReadonlySet<string>,
): PersistentVolume | undefined {
  let best: PersistentVolume | undefined;
  for (const volume of volumes.volumes()) {
    if (taken.has(volume.metadata.name ?? '') || !volumeFitsNode(volume, node)) continue;
    if (isFor(volume, claim)) return volume;
    if (volume.spec?.claimRef !== undefined || !offers(volume, claim)) continue;
    if (best === undefined || compareQuantity(quantityOf(volume.spec?.capacity?.storage), quantityOf(best.spec?.capacity?.storage)) < 0)
      best = volume;
  }
  return best;
}

/** What of the claims is to be done on a node: volumes to bind, claims to provision for; undefined: impossible there. */
export function planVolumes(
  claims: PodClaims,
  node: NodeInfo,
  volumes: VolumeView,
):
  | {
      readonly bind: readonly { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }[];
      readonly provision: readonly PersistentVolumeClaim[];
    }
  | undefined {
  const bind: { claim: PersistentVolumeClaim; volume: PersistentVolume }[] = [];
  const provision: PersistentVolumeClaim[] = [];
  const taken = new Set<string>();
  for (const claim of claims.delayed) {
    const selected = claim.metadata.annotations?.[selectedNodeAnnotation];
    if (selected !== undefined && selected !== node.name) return undefined;
    const volume = selected === undefined ? matchingVolume(claim, node, volumes, taken) : undefined;
    if (volume !== undefined) {
      taken.add(volume.metadata.name ?? '');
      bind.push({ claim, volume });
      continue;
    }
    const provisioner = classOf(claim, volumes)?.provisioner;
    if (provisioner === undefined || provisioner === '' || provisioner === noProvisioner) return undefined;
    provision.push(claim);
  }
  return { bind, provision };
}

/** The objects as this scheduler wants them. */
export interface VolumeDecision {
  readonly volumes: readonly PersistentVolume[];
  readonly claims: readonly PersistentVolumeClaim[];
  /** namespace and name of every claim that must be bound before the pod is. */
  readonly awaited: readonly { readonly namespace: string; readonly name: string }[];
}

/** Decides for the chosen node. Undefined: the pod has no claims to bind. */
export function decideVolumes(pod: PodInfo, node: NodeInfo | undefined, view: SchedulingView): VolumeDecision | undefined {
  if (view.volumes === undefined || node === undefined || claimNames(pod.pod).length === 0) return undefined;
  const claims = podClaims(pod.pod, view.volumes);
  if (typeof claims === 'string' || claims.delayed.length === 0) return undefined;
  const plan = planVolumes(claims, node, view.volumes);
  if (plan === undefined) return undefined;
  return {
    volumes: plan.bind
      .filter(({ volume, claim }) => !(isFor(volume, claim) && volume.spec?.claimRef?.uid !== undefined))
      .map(({ volume, claim }) => reserved(volume, claim)),
    claims: plan.provision.map((claim) => ({
      ...claim,
      metadata: { ...claim.metadata, annotations: { ...claim.metadata.annotations, [selectedNodeAnnotation]: node.name } },
    })),
    awaited: claims.delayed.map((claim) => ({ namespace: claim.metadata.namespace ?? '', name: claim.metadata.name ?? '' })),
  };
}

function reserved(volume: PersistentVolume, claim: PersistentVolumeClaim): PersistentVolume {
  const { namespace, name, uid, resourceVersion } = claim.metadata;
  const claimRef = {
    kind: 'PersistentVolumeClaim',
    apiVersion: 'v1',
    namespace: namespace ?? '',
    name: name ?? '',
    uid: uid ?? '',
    resourceVersion: resourceVersion ?? '',
  };
  return {
    ...volume,
    metadata: { ...volume.metadata, annotations: { ...volume.metadata.annotations, [boundByControllerAnnotation]: 'yes' } },
    spec: { ...volume.spec, claimRef },
  };
}

/** PreBind: writes the decision and waits until the volume controller has bound the claims. Upstream BindPodVolumes. */
export function* bindVolumes(client: Client, view: SchedulingView, decision: VolumeDecision): Task<ApiFailure | undefined> {
  const { process } = client.transport;
  for (const volume of decision.volumes) {
    const written = yield* client.resource(PERSISTENT_VOLUMES).update(volume);
    if (!written.ok) return written;
  }
  for (const claim of decision.claims) {
    const written = yield* client.resource(PERSISTENT_VOLUME_CLAIMS).update(claim);
    if (!written.ok) return written;
  }
  const deadline = process.mono() + bindTimeout;
  const isBound = ({ namespace, name }: VolumeDecision['awaited'][number]): boolean => {
    const claim = view.volumes?.claim(namespace, name);
    return (claim?.spec?.volumeName ?? '') !== '' && claim?.metadata.annotations?.[bindCompletedAnnotation] !== undefined;
  };
  while (!decision.awaited.every(isBound)) {
    if (process.mono() >= deadline)
      return { ok: false, reason: 'Timeout', code: 0, message: 'binding volumes: context deadline exceeded', sent: true };
    yield* process.sleep(SECOND);
  }
  return undefined;
}
