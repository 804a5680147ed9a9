import { changed, withMissing } from '../../defaults/missing.ts';
import { roundedResources } from '../../defaults/resources.ts';
import { formatTime } from '../../time.ts';
import type { PersistentVolume, PersistentVolumeSpec } from '../../types.ts';
import { accessModes, checkAccessModes, checkClassName, volumeModes } from '../../validation/claim-spec.ts';
import { type FieldErrors, forbidden, goMap, invalid, notSupported, required } from '../../validation/field-errors.ts';
import { checkImmutable, immutableMessage, sameValue } from '../../validation/immutable.ts';
import { sortedKeys } from '../../validation/labels.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isDns1123Label, isDns1123Subdomain, nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkNoBacksteps } from '../../validation/paths.ts';
import { goTerm } from '../../validation/pod-update.ts';
import { checkBasicResource, checkPositiveQuantity } from '../../validation/resources.ts';
import { checkNodeSelector } from '../../validation/scheduling.ts';
import * as source from '../../validation/volume-sources.ts';
import { age, columns, unset } from '../columns.ts';
import { defineKind } from '../define.ts';
import { keepStatus, statusUpdate } from '../strategy.ts';

/** Upstream: pkg/registry/core/persistentvolume/strategy.go, pkg/apis/core/v1/defaults.go, pkg/apis/core/validation. */
const rule = { namespaced: false, name: nameIsDnsSubdomain, coreFinalizers: true };
const reclaimPolicies = ['Delete', 'Recycle', 'Retain'];
const emptySpec: PersistentVolumeSpec = {};

function setDefaults(volume: PersistentVolume): PersistentVolume {
  let spec = withMissing(volume.spec ?? emptySpec, { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' });
  if (spec.capacity !== undefined) spec = changed(spec, 'capacity', roundedResources);
  if (spec.hostPath !== undefined) spec = changed(spec, 'hostPath', (s) => withMissing(s, { type: '' }));
  if (spec.iscsi !== undefined) spec = changed(spec, 'iscsi', (s) => withMissing(s, { iscsiInterface: 'default' }));
  if (spec.rbd !== undefined)
    spec = changed(spec, 'rbd', (s) => withMissing(s, { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' }));
  if (spec.azureDisk !== undefined) {
    spec = changed(spec, 'azureDisk', (s) => withMissing(s, { cachingMode: 'ReadWrite', kind: 'Shared', fsType: 'ext4', readOnly: false }));
  }
  if (spec.scaleIO !== undefined) spec = changed(spec, 'scaleIO', (s) => withMissing(s, { storageMode: 'ThinProvisioned', fsType: 'xfs' }));
  const status = withMissing(volume.status ?? {}, { phase: 'Pending' });
  return spec === volume.spec && status === volume.status ? volume : { ...volume, spec, status };
}

type Csi = NonNullable<PersistentVolumeSpec['csi']>;
const csiSecrets = ['controllerPublishSecretRef', 'controllerExpandSecretRef', 'nodePublishSecretRef', 'nodeExpandSecretRef'] as const;

function checkCsi(csi: Csi, field: string, out: FieldErrors): void {
  source.checkCsiDriverName(csi.driver ?? '', `${field}.driver`, out);
  if ((csi.volumeHandle ?? '') === '') out.push(required(`${field}.volumeHandle`));
  for (const key of csiSecrets) {
    const ref = csi[key];
    if (ref === undefined) continue;
    const { name = '', namespace = '' } = ref;
    if (name === '') out.push(required(`${field}.${key}.name`));
    else for (const message of isDns1123Subdomain(name)) out.push(invalid(`${field}.${key}.name`, name, message));
    if (namespace === '') out.push(required(`${field}.${key}.namespace`));
    else for (const message of isDns1123Label(namespace)) out.push(invalid(`${field}.${key}.namespace`, namespace, message));
  }
}

function checkLocal(local: NonNullable<PersistentVolumeSpec['local']>, field: string, out: FieldErrors): void {
  if ((local.path ?? '') === '') out.push(required(`${field}.path`));
  else checkNoBacksteps(local.path, `${field}.path`, out);
}

const sources: readonly source.SourceKind[] = [
  { key: 'hostPath', check: source.checkHostPath },
  { key: 'gcePersistentDisk', check: source.checkGcePersistentDisk, path: 'persistentDisk' },
  { key: 'awsElasticBlockStore', check: source.checkAwsElasticBlockStore },
  { key: 'glusterfs', check: source.checkGlusterfs },
  { key: 'flocker', check: source.checkFlocker },
  { key: 'nfs', check: source.checkNfs },
  { key: 'rbd', check: source.checkRbd },
  { key: 'quobyte', check: source.checkQuobyte },
  { key: 'cephfs', check: source.checkCephFs, duplicatePath: 'cephFS' },
  { key: 'iscsi', check: source.checkIscsi },
  { key: 'cinder', check: source.checkCinder(true) },
  { key: 'fc', check: source.checkFc },
  { key: 'flexVolume', check: source.checkFlex },
  { key: 'azureFile', check: source.checkAzureFile },
  { key: 'vsphereVolume', check: source.checkVsphere },
  { key: 'photonPersistentDisk', check: source.checkPhoton },
  { key: 'portworxVolume', check: source.checkPortworx },
  { key: 'azureDisk', check: source.checkAzureDisk },
  { key: 'scaleIO', check: source.checkScaleIo },
  { key: 'local', check: checkLocal },
  { key: 'storageos', check: source.checkStorageOs(true) },
  { key: 'csi', check: checkCsi },
];

/** ValidatePersistentVolumeSpec. */
function checkSpec(spec: PersistentVolumeSpec, out: FieldErrors): void {
  const modes = spec.accessModes ?? [];
  if (modes.length === 0) out.push(required('spec.accessModes'));
  checkAccessModes(modes, 'spec.accessModes', out);
  const capacity = spec.capacity ?? {};
  const names = sortedKeys(capacity);
  if (names.length === 0) out.push(required('spec.capacity'));
  if (capacity['storage'] === undefined || names.length > 1) out.push(notSupported('spec.capacity', goMap(spec.capacity), ['storage']));
  for (const name of names) {
    checkBasicResource(capacity[name] ?? '0', `spec.capacity[${name}]`, out);
    checkPositiveQuantity(capacity[name] ?? '0', `spec.capacity[${name}]`, out);
  }
  const reclaim: string = spec.persistentVolumeReclaimPolicy ?? '';
  if (reclaim !== '' && !reclaimPolicies.includes(reclaim))
    out.push(notSupported('spec.persistentVolumeReclaimPolicy', reclaim, reclaimPolicies));
  const { nodeAffinity } = spec;
  if (nodeAffinity !== undefined) {
    if (nodeAffinity.required === undefined) out.push(required('spec.nodeAffinity.required', 'must specify required node constraints'));
    else checkNodeSelector(nodeAffinity.required, 'spec.nodeAffinity.required', out);
  }
  const count = source.checkOneSource(spec, sources, 'spec', out);
  if (spec.local !== undefined && nodeAffinity === undefined)
    out.push(required('spec.nodeAffinity', 'Local volume requires node affinity'));
  if (count === 0) out.push(required('spec', 'must specify a volume type'));
  if (spec.hostPath !== undefined && /^\/+(\.?\/*)*$/.test(spec.hostPath.path ?? '') && reclaim === 'Recycle') {
    out.push(forbidden('spec.persistentVolumeReclaimPolicy', "may not be 'recycle' for a hostPath mount of '/'"));
  }
  checkClassName(spec.storageClassName, 'spec.storageClassName', out);
  const mode: string | undefined = spec.volumeMode;
  if (mode !== undefined && !volumeModes.includes(mode)) out.push(notSupported('spec.volumeMode', mode, volumeModes));
  if (spec.volumeAttributesClassName !== undefined) {
    if (spec.volumeAttributesClassName === '') out.push(required('spec.volumeAttributesClassName', 'an empty string is disallowed'));
    checkClassName(spec.volumeAttributesClassName, 'spec.volumeAttributesClassName', out);
    if (spec.csi === undefined) out.push(required('spec.csi', 'has to be specified when using volumeAttributesClassName'));
  }
}

function validate({ metadata, spec }: PersistentVolume): FieldErrors {
  const out: FieldErrors = [];
  checkMetadata(metadata, rule, out);
  checkSpec(spec ?? emptySpec, out);
  return out;
}

/** The source alone; a controllerExpandSecretRef may still be added. */
function sourceOf(spec: PersistentVolumeSpec, previous: PersistentVolumeSpec): Readonly<Record<string, unknown>> {
  const result: Record<string, unknown> = {};
  for (const { key } of sources) {
    const value = spec[key as keyof PersistentVolumeSpec];
    if (value !== undefined) result[key] = value;
  }
  if (spec.csi !== undefined && previous.csi !== undefined && previous.csi.controllerExpandSecretRef === undefined) {
    const { controllerExpandSecretRef: _, ...csi } = spec.csi;
    result['csi'] = csi;
  }
  return result;
}

const betaLabels: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
  'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
};

type NodeAffinity = NonNullable<PersistentVolumeSpec['nodeAffinity']>;

/** Affinity with the GA spelling of labels, so that a change of spelling is none. */
function stable(affinity: NodeAffinity | undefined): unknown {
  return affinity?.required?.nodeSelectorTerms?.map((term) => ({
    ...term,
    ...(term.matchExpressions === undefined
      ? {}
      : { matchExpressions: term.matchExpressions.map((e) => ({ ...e, key: betaLabels[e.key] ?? e.key })) }),
  }));
}

function checkUpdate(next: PersistentVolume, previous: PersistentVolume, out: FieldErrors): void {
  const spec = next.spec ?? emptySpec;
  const before = previous.spec ?? emptySpec;
  if (!sameValue(sourceOf(spec, before), sourceOf(before, before))) {
    out.push(forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation'));
  }
  checkImmutable<string | undefined>(spec.volumeMode, before.volumeMode, 'volumeMode', out);
  if (before.nodeAffinity !== undefined && !sameValue(stable(spec.nodeAffinity), stable(before.nodeAffinity))) {
    const required = spec.nodeAffinity?.required;
    const go =
      spec.nodeAffinity === undefined
        ? null
        : { Required: required === undefined ? null : { NodeSelectorTerms: (required.nodeSelectorTerms ?? []).map(goTerm) } };
    out.push(invalid('nodeAffinity', go, `${immutableMessage}, except for updating from beta label to GA`));
  }
  if (before.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined) {
    out.push(forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'));
  }
}

const modeTexts: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

/** GetAccessModesAsString: in a fixed order, each once. */
export function accessModesText(modes: readonly string[] | undefined): string {
  return ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod']
    .filter((mode) => modes?.includes(mode) === true && accessModes.includes(mode))
    .map((mode) => modeTexts[mode])
    .join(',');
}

export const persistentVolume = defineKind<PersistentVolume>('v1', 'persistentvolumes', {
  setDefaults,
  prepareForCreate: (object, { nowUs }) => ({ ...object, status: { phase: 'Pending', lastPhaseTransitionTime: formatTime(nowUs) } }),
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate(given, previous, { nowUs }) {
    const next = statusUpdate(given, previous);
    const before = previous.status;
    if (next.status === undefined || next.status.phase === before?.phase) return next;
    const own = next.status.lastPhaseTransitionTime;
    if (own !== undefined && own !== before?.lastPhaseTransitionTime) return next;
    return { ...next, status: { ...next.status, lastPhaseTransitionTime: formatTime(nowUs) } };
  },
  validate,
  validateUpdate(next, previous) {
    if (next.spec === previous.spec) {
      const out: FieldErrors = [];
      checkMetadata(next.metadata, rule, out);
      return out;
    }
    const out = [...validate(next), ...validate(next)];
    checkUpdate(next, previous, out);
    return out;
  },
  validateStatusUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    return out;
  },
  columns: columns<PersistentVolume>('persistentvolumes', [
    ['Capacity', 'string', ({ spec }) => spec?.capacity?.['storage'] ?? '0'],
    ['Access Modes', 'string', ({ spec }) => accessModesText(spec?.accessModes)],
    ['Reclaim Policy', 'string', ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? ''],
    ['Status', 'string', ({ metadata, status }) => (metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating')],
    ['Claim', 'string', ({ spec }) => (spec?.claimRef === undefined ? '' : `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}`)],
    [
      'StorageClass',
      'string',
      ({ metadata, spec }) => metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec?.storageClassName ?? '',
    ],
    ['VolumeAttributesClass', 'string', ({ spec }) => spec?.volumeAttributesClassName ?? unset],
    ['Reason', 'string', ({ status }) => status?.reason ?? ''],
    age(),
    ['VolumeMode', 'string', ({ spec }) => spec?.volumeMode ?? unset, 1],
  ]),
});
