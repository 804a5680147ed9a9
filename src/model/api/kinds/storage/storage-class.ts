import { withMissing } from '../../defaults/missing.ts';
import type { StorageClass } from '../../types.ts';
import { duplicate, type FieldErrors, forbidden, invalid, notSupported, required, tooLong } from '../../validation/field-errors.ts';
import { checkImmutable, sameValue } from '../../validation/immutable.ts';
import { checkLabelName } from '../../validation/labels.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isQualifiedName, nameIsDnsSubdomain } from '../../validation/names.ts';
import { age, columnsWithoutName, unset } from '../columns.ts';
import { defineKind } from '../define.ts';

/** Upstream: pkg/registry/storage/storageclass/strategy.go, pkg/apis/storage/v1/defaults.go, pkg/apis/storage/validation. */
const rule = { namespaced: false, name: nameIsDnsSubdomain, coreFinalizers: true };
const parametersMax = 512;
const parametersSizeMax = 256 * 1024;
const defaultKeys = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'];

export function isDefaultStorageClass({ metadata }: StorageClass): boolean {
  return defaultKeys.some((key) => metadata.annotations?.[key] === 'true');
}

function checkParameters(parameters: StorageClass['parameters'], out: FieldErrors): void {
  const keys = Object.keys(parameters ?? {}).sort();
  if (keys.length > parametersMax) return void out.push(tooLong('parameters', parametersMax));
  let size = 0;
  for (const key of keys) {
    if (key === '') out.push(invalid('parameters', key, 'field can not be empty.'));
    size += key.length + (parameters?.[key] ?? '').length;
  }
  if (size > parametersSizeMax) out.push(tooLong('parameters', parametersSizeMax));
}

function checkTopologies(terms: StorageClass['allowedTopologies'], out: FieldErrors): void {
  const seen: unknown[] = [];
  for (const [i, term] of (terms ?? []).entries()) {
    const path = `allowedTopologies[${i}]`;
    const keys = new Set<string>();
    for (const [j, { key = '', values: given }] of (term.matchLabelExpressions ?? []).entries()) {
      const values: readonly string[] = given ?? [];
      const requirement = `${path}.matchLabelExpressions[${j}]`;
      if (values.length === 0) out.push(required(`${requirement}.values`));
      for (const [k, value] of values.entries()) if (values.indexOf(value) < k) out.push(duplicate(`${requirement}.values[${k}]`, value));
      checkLabelName(key, `${requirement}.key`, out);
      if (keys.has(key)) out.push(duplicate(`${requirement}.key`, key));
      keys.add(key);
    }
    const raw = Object.fromEntries((term.matchLabelExpressions ?? []).map((e) => [e.key, [...(e.values ?? [])].sort()]));
    if (seen.some((other) => sameValue(other, raw))) out.push(duplicate(`${path}.matchLabelExpressions`, ''));
    seen.push(raw);
  }
}

function validate(object: StorageClass): FieldErrors {
  const out: FieldErrors = [];
  checkMetadata(object.metadata, rule, out);
  const provisioner = (object.provisioner ?? '').toLowerCase();
  if (provisioner === '') out.push(required('provisioner'));
  else for (const message of isQualifiedName(provisioner)) out.push(invalid('provisioner', provisioner, message));
  checkParameters(object.parameters, out);
  const reclaim: string = object.reclaimPolicy ?? '';
  if (reclaim !== '' && reclaim !== 'Delete' && reclaim !== 'Retain')
    out.push(notSupported('reclaimPolicy', reclaim, ['Delete', 'Retain']));
  const binding: string | undefined = object.volumeBindingMode;
  if (binding === undefined) out.push(required('volumeBindingMode'));
  else if (binding !== 'Immediate' && binding !== 'WaitForFirstConsumer')
    out.push(notSupported('volumeBindingMode', binding, ['Immediate', 'WaitForFirstConsumer']));
  checkTopologies(object.allowedTopologies, out);
  return out;
}

export const storageClass = defineKind<StorageClass>('storage.k8s.io/v1', 'storageclasses', {
  setDefaults: (object) => withMissing(object, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }),
  validate,
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    if (!sameValue(next.parameters ?? {}, previous.parameters ?? {}))
      out.push(forbidden('parameters', 'updates to parameters are forbidden.'));
    if (next.provisioner !== previous.provisioner) out.push(forbidden('provisioner', 'updates to provisioner are forbidden.'));
    if (next.reclaimPolicy !== previous.reclaimPolicy) out.push(forbidden('reclaimPolicy', 'updates to reclaimPolicy are forbidden.'));
    checkImmutable<string | undefined>(next.volumeBindingMode, previous.volumeBindingMode, 'volumeBindingMode', out);
    return out;
  },
  columns: columnsWithoutName<StorageClass>('storageclasses.storage.k8s.io', [
    ['Name', 'string', (object) => `${object.metadata.name}${isDefaultStorageClass(object) ? ' (default)' : ''}`, 0, 'name'],
    ['Provisioner', 'string', ({ provisioner }) => provisioner],
    ['ReclaimPolicy', 'string', ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete'],
    ['VolumeBindingMode', 'string', ({ volumeBindingMode }) => volumeBindingMode ?? unset],
    ['AllowVolumeExpansion', 'string', ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false],
    age(),
  ]),
});
