import { changed, withMissing, without } from '../../defaults/missing.ts';
import { roundedResources } from '../../defaults/resources.ts';
import { compareQuantity, quantityOf } from '../../quantity.ts';
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../../types.ts';
import { checkClaimSpec } from '../../validation/claim-spec.ts';
import { type FieldErrors, forbidden, invalid, notSupported, required } from '../../validation/field-errors.ts';
import { checkImmutable, immutableMessage, sameValue } from '../../validation/immutable.ts';
import { sortedKeys } from '../../validation/labels.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkBasicResource } from '../../validation/resources.ts';
import { age, columns, unset } from '../columns.ts';
import { defineKind } from '../define.ts';
import { keepStatus, statusUpdate } from '../strategy.ts';
import { accessModesText } from './persistent-volume.ts';

/** Upstream: pkg/registry/core/persistentvolumeclaim/strategy.go, pkg/api/persistentvolumeclaim, pkg/apis/core/validation. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };
const emptySpec: PersistentVolumeClaimSpec = {};
const betaClassKey = 'volume.beta.kubernetes.io/storage-class';
const fixed = 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';

function setDefaults(claim: PersistentVolumeClaim): PersistentVolumeClaim {
  let spec = withMissing(claim.spec ?? emptySpec, { volumeMode: 'Filesystem', resources: {} });
  spec = changed(spec, 'resources', (resources) => {
    const limited = resources.limits === undefined ? resources : changed(resources, 'limits', roundedResources);
    return limited.requests === undefined ? limited : changed(limited, 'requests', roundedResources);
  });
  const status = withMissing(claim.status ?? {}, { phase: 'Pending' });
  return spec === claim.spec && status === claim.status ? claim : { ...claim, spec, status };
}

type DataSource = NonNullable<PersistentVolumeClaimSpec['dataSource']>;

function isClaimOrSnapshot({ kind, apiGroup }: DataSource): boolean {
  return (
    (kind === 'PersistentVolumeClaim' && (apiGroup ?? '') === '') || (kind === 'VolumeSnapshot' && apiGroup === 'snapshot.storage.k8s.io')
  );
}

/** EnforceDataSourceBackwardsCompatibility and NormalizeDataSources: the old field knows claims and snapshots only; then each is copied into the other. */
function withDataSources(claim: PersistentVolumeClaim, previous: PersistentVolumeClaim | undefined): PersistentVolumeClaim {
  let spec = claim.spec ?? emptySpec;
  const inUse = previous?.spec?.dataSource !== undefined || previous?.spec?.dataSourceRef !== undefined;
  if (!inUse && spec.dataSource !== undefined && !isClaimOrSnapshot(spec.dataSource)) spec = without(spec, 'dataSource');
  const { dataSource, dataSourceRef } = spec;
  if (dataSource !== undefined && dataSourceRef === undefined) {
    spec = { ...spec, dataSourceRef: { apiGroup: (dataSource.apiGroup ?? null) as string, kind: dataSource.kind, name: dataSource.name } };
  } else if (dataSource === undefined && dataSourceRef !== undefined && (dataSourceRef.namespace ?? '') === '') {
    spec = {
      ...spec,
      dataSource: { apiGroup: (dataSourceRef.apiGroup ?? null) as string, kind: dataSourceRef.kind, name: dataSourceRef.name },
    };
  }
  return spec === claim.spec ? claim : { ...claim, spec };
}

function validate({ metadata, spec }: PersistentVolumeClaim): FieldErrors {
  const out: FieldErrors = [];
  checkMetadata(metadata, rule, out);
  checkClaimSpec(spec ?? emptySpec, 'spec', out);
  return out;
}

const storageOf = (list: Readonly<Record<string, string>> | undefined): string => list?.['storage'] ?? '0';

/** ValidatePersistentVolumeClaimUpdate after the new claim as such. */
function checkUpdate(next: PersistentVolumeClaim, previous: PersistentVolumeClaim, out: FieldErrors): void {
  const before = previous.spec ?? emptySpec;
  let spec = next.spec ?? emptySpec;
  let old = before;
  if ((before.volumeName ?? '') === '')
    old = spec.volumeName === undefined ? without(old, 'volumeName') : { ...old, volumeName: spec.volumeName };
  const annotation = (claim: PersistentVolumeClaim): string | undefined => claim.metadata.annotations?.[betaClassKey];
  if (annotation(next) !== annotation(previous))
    out.push(invalid(`metadata.annotations.${betaClassKey}`, annotation(next) ?? '', immutableMessage));
  if (before.storageClassName === undefined && spec.storageClassName !== undefined) {
    const old = annotation(previous);
    if (old === undefined || old === spec.storageClassName) spec = without(spec, 'storageClassName');
  }
  const bound = next.status?.phase === 'Bound';
  if (bound && spec.resources?.requests !== undefined) {
    spec = {
      ...spec,
      resources: { ...spec.resources, requests: { ...spec.resources.requests, storage: storageOf(before.resources?.requests) } },
    };
  }
  if (bound && spec.volumeAttributesClassName !== undefined) {
    spec =
      before.volumeAttributesClassName === undefined
        ? without(spec, 'volumeAttributesClassName')
        : { ...spec, volumeAttributesClassName: before.volumeAttributesClassName };
  }
  if (!sameValue(spec, old)) out.push(forbidden('spec', fixed));
  const size = quantityOf(storageOf(next.spec?.resources?.requests));
  if (
    compareQuantity(size, quantityOf(storageOf(before.resources?.requests))) < 0 &&
    compareQuantity(size, quantityOf(storageOf(previous.status?.capacity))) <= 0
  ) {
    out.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'));
  }
  checkImmutable<string | undefined>(next.spec?.volumeMode, before.volumeMode, 'volumeMode', out);
  const attributes = next.spec?.volumeAttributesClassName;
  if (before.volumeAttributesClassName !== undefined && attributes !== before.volumeAttributesClassName) {
    if (attributes === undefined) out.push(forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'));
    else if (attributes === '')
      out.push(forbidden('spec.volumeAttributesClassName', 'update from non-nil value to an empty string is forbidden'));
  }
}

const resizeStatuses = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
].sort();

function checkStatus({ spec, status }: PersistentVolumeClaim, out: FieldErrors): void {
  if ((spec?.accessModes ?? []).length === 0) out.push(required('Spec.accessModes'));
  const capacity = status?.capacity ?? {};
  for (const name of sortedKeys(capacity)) checkBasicResource(capacity[name] ?? '0', `status.capacity[${name}]`, out);
  const resizing: Readonly<Record<string, string>> = status?.allocatedResourceStatuses ?? {};
  for (const name of sortedKeys(resizing)) {
    if (!resizeStatuses.includes(resizing[name] ?? '')) out.push(notSupported('status.allocatedResourceStatus', name, resizeStatuses));
  }
  const allocated = status?.allocatedResources ?? {};
  for (const name of sortedKeys(allocated)) checkBasicResource(allocated[name] ?? '0', `status.allocatedResources[${name}]`, out);
}

export const persistentVolumeClaim = defineKind<PersistentVolumeClaim>('v1', 'persistentvolumeclaims', {
  setDefaults,
  prepareForCreate: (object) => withDataSources({ ...object, status: { phase: 'Pending' } }, undefined),
  prepareForUpdate: (next, previous) => withDataSources(keepStatus(next, previous), previous),
  prepareForStatusUpdate: statusUpdate,
  validate,
  warnings: ({ metadata }) =>
    metadata.annotations?.[betaClassKey] === undefined
      ? []
      : [`metadata.annotations[${betaClassKey}]: deprecated since v1.8; use "storageClassName" attribute instead`],
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    if (next.spec === previous.spec) {
      checkMetadata(next.metadata, rule, out);
      return out;
    }
    out.push(...validate(next));
    checkUpdate(next, previous, out);
    return out;
  },
  validateStatusUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    checkStatus(next, out);
    return out;
  },
  columns: columns<PersistentVolumeClaim>('persistentvolumeclaims', [
    ['Status', 'string', ({ metadata, status }) => (metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating')],
    ['Volume', 'string', ({ spec }) => spec?.volumeName ?? ''],
    ['Capacity', 'string', ({ spec, status }) => ((spec?.volumeName ?? '') === '' ? '' : storageOf(status?.capacity))],
    ['Access Modes', 'string', ({ spec, status }) => ((spec?.volumeName ?? '') === '' ? '' : accessModesText(status?.accessModes))],
    ['StorageClass', 'string', ({ metadata, spec }) => metadata.annotations?.[betaClassKey] ?? spec?.storageClassName ?? ''],
    ['VolumeAttributesClass', 'string', ({ spec }) => spec?.volumeAttributesClassName ?? unset],
    age(),
    ['VolumeMode', 'string', ({ spec }) => spec?.volumeMode ?? unset, 1],
  ]),
});
