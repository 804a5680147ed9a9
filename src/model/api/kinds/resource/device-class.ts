import type { DeviceClass } from '../../types.ts';
import { type FieldErrors, required, tooMany } from '../../validation/field-errors.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkCsiDriverName } from '../../validation/volume-sources.ts';
import { age, columns } from '../columns.ts';
import { defineKind } from '../define.ts';
import { freshGeneration, specUpdate } from '../strategy.ts';

/** Upstream: pkg/registry/resource/deviceclass/strategy.go, pkg/apis/resource/validation. */
const rule = { namespaced: false, name: nameIsDnsSubdomain, coreFinalizers: true };
const listMax = 32;

function checkSpec(spec: DeviceClass['spec'], out: FieldErrors): void {
  for (const key of ['selectors', 'config'] as const)
    if ((spec?.[key] ?? []).length > listMax) out.push(tooMany(`spec.${key}`, (spec?.[key] ?? []).length, listMax));
  for (const [i, { cel }] of (spec?.selectors ?? []).entries()) {
    if (cel === undefined) out.push(required(`spec.selectors[${i}].cel`));
    else if ((cel.expression ?? '') === '') out.push(required(`spec.selectors[${i}].cel.expression`));
  }
  for (const [i, { opaque }] of (spec?.config ?? []).entries()) {
    if (opaque === undefined) out.push(required(`spec.config[${i}].opaque`));
    else checkCsiDriverName(opaque.driver ?? '', `spec.config[${i}].opaque.driver`, out);
  }
}

export const deviceClass = defineKind<DeviceClass>('resource.k8s.io/v1', 'deviceclasses', {
  prepareForCreate: freshGeneration,
  prepareForUpdate: specUpdate,
  validate({ metadata, spec }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    checkSpec(spec, out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    if (next.spec !== previous.spec) checkSpec(next.spec, out);
    return out;
  },
  columns: columns<DeviceClass>('deviceclasses.resource.k8s.io', [age()]),
});
