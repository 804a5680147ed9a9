import type { CSIStorageCapacity } from '../../types.ts';
import { quantityOf } from '../../quantity.ts';
import { type FieldErrors, invalid, required } from '../../validation/field-errors.ts';
import { checkImmutable } from '../../validation/immutable.ts';
import { checkLabelSelector, goSelector } from '../../validation/labels.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isDns1123Subdomain, nameIsDnsSubdomain } from '../../validation/names.ts';
import { negativeMessage } from '../../validation/numbers.ts';
import { columns } from '../columns.ts';
import { defineKind } from '../define.ts';

/** Upstream: pkg/registry/storage/csistoragecapacity/strategy.go, pkg/apis/storage/validation. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };

function validate(object: CSIStorageCapacity): FieldErrors {
  const out: FieldErrors = [];
  checkMetadata(object.metadata, rule, out);
  const className = object.storageClassName ?? '';
  for (const message of isDns1123Subdomain(className)) out.push(invalid('storageClassName', className, message));
  if (className === '') out.push(required('storageClassName'));
  checkLabelSelector(object.nodeTopology, 'nodeTopology', out);
  for (const key of ['capacity', 'maximumVolumeSize'] as const) {
    const value = object[key];
    if (value !== undefined && quantityOf(value).nano < 0n) out.push(invalid(key, value, negativeMessage));
  }
  return out;
}

export const csiStorageCapacity = defineKind<CSIStorageCapacity>('storage.k8s.io/v1', 'csistoragecapacities', {
  validate,
  validateUpdate(next, previous) {
    const out = validate(next);
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    checkImmutable(next.nodeTopology, previous.nodeTopology, 'nodeTopology', out, goSelector);
    checkImmutable(next.storageClassName, previous.storageClassName, 'storageClassName', out);
    return out;
  },
  columns: columns<CSIStorageCapacity>('csistoragecapacities.storage.k8s.io', [
    ['StorageClassName', 'string', ({ storageClassName }) => storageClassName],
    ['Capacity', 'string', ({ capacity }) => capacity ?? '<unset>'],
  ]),
});
