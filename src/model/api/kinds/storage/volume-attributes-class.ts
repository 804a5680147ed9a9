import type { VolumeAttributesClass } from '../../types.ts';
import { type FieldErrors, forbidden, invalid, required, tooLong } from '../../validation/field-errors.ts';
import { sameValue } from '../../validation/immutable.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkCsiDriverName } from '../../validation/volume-sources.ts';
import { age, columns } from '../columns.ts';
import { defineKind } from '../define.ts';

/** Upstream: pkg/registry/storage/volumeattributesclass/strategy.go, pkg/apis/storage/validation. */
const rule = { namespaced: false, name: nameIsDnsSubdomain, coreFinalizers: true };

export const volumeAttributesClass = defineKind<VolumeAttributesClass>('storage.k8s.io/v1', 'volumeattributesclasses', {
  validate({ metadata, driverName = '', parameters = {} }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    if (driverName === '') out.push(required('driverName'));
    else checkCsiDriverName(driverName, 'driverName', out);
    const keys = Object.keys(parameters).sort();
    if (keys.length === 0) out.push(required('parameters', 'must contain at least one key/value pair'));
    if (keys.length > 512) out.push(tooLong('parameters', 512));
    for (const key of keys) if (key === '') out.push(invalid('parameters', key, 'field can not be empty.'));
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    if (next.driverName !== previous.driverName) out.push(forbidden('driverName', 'updates to driverName are forbidden.'));
    if (!sameValue(next.parameters, previous.parameters)) out.push(forbidden('parameters', 'updates to parameters are forbidden.'));
    return out;
  },
  columns: columns<VolumeAttributesClass>('volumeattributesclasses.storage.k8s.io', [
    ['DriverName', 'string', ({ driverName }) => driverName],
    age(),
  ]),
});
