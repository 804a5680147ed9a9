import type { PersistentVolumeClaimSpec } from '../types.ts';
import { type FieldErrors, forbidden, invalid, notSupported, required } from './field-errors.ts';
import { checkLabelSelector } from './labels.ts';
import { isDns1123Label, isDns1123Subdomain } from './names.ts';
import { checkPositiveQuantity } from './resources.ts';

/** The spec of a claim, in claims of their own and in templates. Upstream: ValidatePersistentVolumeClaimSpec. */

export const accessModes: readonly string[] = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
export const volumeModes: readonly string[] = ['Block', 'Filesystem'];

export function checkAccessModes(modes: readonly string[], field: string, out: FieldErrors): void {
  let once = false;
  let other = false;
  for (const mode of modes) {
    if (!accessModes.includes(mode)) out.push(notSupported(field, mode, accessModes));
    else if (mode === 'ReadWriteOncePod') once = true;
    else other = true;
  }
  if (once && other) out.push(forbidden(field, 'may not use ReadWriteOncePod with other access modes'));
}

export function checkClaimSpec(spec: PersistentVolumeClaimSpec, field: string, out: FieldErrors, allowInvalidApiGroup = false): void {
  const modes = spec.accessModes ?? [];
  if (modes.length === 0) out.push(required(`${field}.accessModes`, 'at least 1 access mode is required'));
  checkLabelSelector(spec.selector, `${field}.selector`, out);
  checkAccessModes(modes, `${field}.accessModes`, out);
  const storage = spec.resources?.requests?.['storage'];
  if (storage === undefined) out.push(required(`${field}.resources[storage]`));
  else checkPositiveQuantity(storage, `${field}.resources[storage]`, out);
  checkClassName(spec.storageClassName, `${field}.storageClassName`, out);
  const mode: string | undefined = spec.volumeMode;
  if (mode !== undefined && !volumeModes.includes(mode)) out.push(notSupported(`${field}.volumeMode`, mode, volumeModes));
  const { dataSource, dataSourceRef } = spec;
  if (dataSource !== undefined) checkDataSource(dataSource, `${field}.dataSource`, allowInvalidApiGroup, out);
  if (dataSourceRef !== undefined) {
    checkDataSource(dataSourceRef, `${field}.dataSourceRef`, allowInvalidApiGroup, out);
    const namespace = dataSourceRef.namespace ?? '';
    if (namespace !== '')
      for (const message of isDns1123Label(namespace)) out.push(invalid(`${field}.dataSourceRef.namespace`, namespace, message));
    if (dataSource !== undefined) {
      if (namespace !== '')
        out.push(invalid(field, `${field}.dataSource`, 'may not be specified when dataSourceRef.namespace is specified'));
      else if (
        (dataSource.apiGroup ?? null) !== (dataSourceRef.apiGroup ?? null) ||
        dataSource.kind !== dataSourceRef.kind ||
        dataSource.name !== dataSourceRef.name
      ) {
        out.push(invalid(field, `${field}.dataSource`, 'must match dataSourceRef'));
      }
    }
  }
  checkClassName(spec.volumeAttributesClassName, `${field}.volumeAttributesClassName`, out);
}

export function checkClassName(name: string | undefined, field: string, out: FieldErrors): void {
  if (name === undefined || name === '') return;
  for (const message of isDns1123Subdomain(name)) out.push(invalid(field, name, message));
}

interface DataSource {
  readonly apiGroup?: string | null;
  readonly kind: string;
  readonly name: string;
}

function checkDataSource(source: DataSource, field: string, allowInvalidApiGroup: boolean, out: FieldErrors): void {
  if ((source.name ?? '') === '') out.push(required(`${field}.name`));
  if ((source.kind ?? '') === '') out.push(required(`${field}.kind`));
  const group = source.apiGroup ?? '';
  if (group === '') {
    if (source.kind !== 'PersistentVolumeClaim') {
      out.push(invalid(field, source.kind ?? '', "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
    }
  } else if (!allowInvalidApiGroup) for (const message of isDns1123Subdomain(group)) out.push(invalid(`${field}.apiGroup`, group, message));
}
