import { labelSelectorMatches } from '../api/label-selector.ts';
import type { ApiObject } from '../api/object.ts';
import { compareQuantity, quantityOf } from '../api/quantity.ts';
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../api/types.ts';

export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';
export const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller';
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
export const STORAGE_PROVISIONER = 'volume.kubernetes.io/storage-provisioner';
export const STORAGE_PROVISIONER_BETA = 'volume.beta.kubernetes.io/storage-provisioner';
const CLASS_BETA = 'volume.beta.kubernetes.io/storage-class';

export function hasAnnotation(object: ApiObject, key: string): boolean {
  return object.metadata.annotations?.[key] !== undefined;
}

/** Name of the class, '' for none. */
export function classOf(object: PersistentVolume | PersistentVolumeClaim): string {
  return object.metadata.annotations?.[CLASS_BETA] ?? object.spec?.storageClassName ?? '';
}

const DEFAULT_CLASS = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'];

/** A claim that names no class, not even none, with the newest default class (of equally old ones the first by name); undefined: nothing to give. */
export function withDefaultClass(claim: PersistentVolumeClaim, classes: readonly StorageClass[]): PersistentVolumeClaim | undefined {
  if (claim.spec?.storageClassName !== undefined || hasAnnotation(claim, CLASS_BETA)) return undefined;
  const age = (one: StorageClass): string => one.metadata.creationTimestamp ?? '';
  const [newest] = classes
    .filter((one) => DEFAULT_CLASS.some((key) => one.metadata.annotations?.[key] === 'true'))
    .sort((a, b) => (age(a) !== age(b) ? (age(a) > age(b) ? -1 : 1) : (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  if (newest === undefined) return undefined;
  return { ...claim, spec: { ...claim.spec, storageClassName: newest.metadata.name ?? '' } };
}

/** Upstream storagehelpers.IsVolumeBoundToClaim: the volume names this claim, by uid where it has one. */
export function isBoundTo(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const reference = volume.spec?.claimRef;
  if (reference === undefined || reference.name !== claim.metadata.name || reference.namespace !== claim.metadata.namespace) return false;
  return reference.uid === undefined || (reference.uid as string) === '' || reference.uid === claim.metadata.uid;
}

/** Why a volume cannot serve a claim; undefined when it can. Upstream checkVolumeSatisfyClaim. */
export function mismatch(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  const wanted = quantityOf(claim.spec?.resources?.requests?.storage);
  if (compareQuantity(quantityOf(volume.spec?.capacity?.storage), wanted) < 0) return 'requested PV is too small';
  if (classOf(claim) !== classOf(volume)) return 'storageClassName does not match';
  if ((volume.spec?.volumeMode ?? 'Filesystem') !== (claim.spec?.volumeMode ?? 'Filesystem')) return 'incompatible volumeMode';
  if (!accessModesFit(volume, claim)) return 'incompatible accessMode';
  return undefined;
}

function accessModesFit(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  return (claim.spec?.accessModes ?? []).every((mode) => volume.spec?.accessModes?.includes(mode) === true);
}

/** The volume that names the claim, else the smallest free one that fits (none while the scheduler is to choose). Upstream FindMatchingVolume. */
export function findMatchingVolume(
  volumes: readonly PersistentVolume[],
  claim: PersistentVolumeClaim,
  delayBinding: boolean,
): PersistentVolume | undefined {
  const wanted = quantityOf(claim.spec?.resources?.requests?.storage);
  let best: PersistentVolume | undefined;
  for (const volume of volumes) {
    if (volume.metadata.deletionTimestamp !== undefined || !accessModesFit(volume, claim)) continue;
    if ((volume.spec?.volumeMode ?? 'Filesystem') !== (claim.spec?.volumeMode ?? 'Filesystem')) continue;
    const size = quantityOf(volume.spec?.capacity?.storage);
    if (isBoundTo(volume, claim)) {
      if (compareQuantity(size, wanted) < 0) continue;
      return volume;
    }
    if (delayBinding || volume.spec?.claimRef !== undefined || volume.status?.phase !== 'Available') continue;
    if (classOf(volume) !== classOf(claim)) continue;
    if (claim.spec?.selector !== undefined && !labelSelectorMatches(claim.spec.selector, volume.metadata.labels)) continue;
    if (compareQuantity(size, wanted) < 0) continue;
    if (best === undefined || compareQuantity(size, quantityOf(best.spec?.capacity?.storage)) < 0) best = volume;
  }
  return best;
}
