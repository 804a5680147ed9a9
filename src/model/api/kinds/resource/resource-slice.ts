import type { ResourceSlice } from '../../types.ts';
import { duplicate, type FieldErrors, invalid, required, tooMany } from '../../validation/field-errors.ts';
import { checkImmutable } from '../../validation/immutable.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isDns1123Label, isDns1123Subdomain, nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkNonNegative } from '../../validation/numbers.ts';
import { checkCsiDriverName } from '../../validation/volume-sources.ts';
import { age, columns } from '../columns.ts';
import { defineKind } from '../define.ts';
import { freshGeneration, specUpdate } from '../strategy.ts';

/** Upstream: pkg/registry/resource/resourceslice/strategy.go, pkg/apis/resource/validation. */
const rule = { namespaced: false, name: nameIsDnsSubdomain, coreFinalizers: true };
const devicesMax = 128;
type Spec = NonNullable<ResourceSlice['spec']>;

function checkSpec(spec: Spec | undefined, out: FieldErrors): void {
  const nodeName = spec?.nodeName;
  const places = [
    nodeName !== undefined,
    spec?.nodeSelector !== undefined,
    spec?.allNodes === true,
    spec?.perDeviceNodeSelection === true,
  ].filter(Boolean).length;
  if (nodeName !== undefined) for (const message of isDns1123Subdomain(nodeName)) out.push(invalid('spec.nodeName', nodeName, message));
  if (places === 0)
    out.push(required('spec', 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'));
  else if (places > 1)
    out.push(
      invalid(
        'spec',
        null,
        'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields are set',
      ),
    );
  checkCsiDriverName(spec?.driver ?? '', 'spec.driver', out);
  const pool = spec?.pool;
  if ((pool?.name ?? '') === '') out.push(required('spec.pool.name'));
  if ((pool?.resourceSliceCount ?? 0) <= 0)
    out.push(invalid('spec.pool.resourceSliceCount', pool?.resourceSliceCount ?? 0, 'must be greater than zero'));
  checkNonNegative(pool?.generation, 'spec.pool.generation', out);
  const devices = spec?.devices ?? [];
  if (devices.length > devicesMax) out.push(tooMany('spec.devices', devices.length, devicesMax));
  const names = new Set<string>();
  for (const [i, { name = '' }] of devices.entries()) {
    for (const message of isDns1123Label(name)) out.push(invalid(`spec.devices[${i}].name`, name, message));
    if (names.has(name)) out.push(duplicate(`spec.devices[${i}].name`, name));
    names.add(name);
  }
}

export const resourceSlice = defineKind<ResourceSlice>('resource.k8s.io/v1', 'resourceslices', {
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
    for (const key of ['driver', 'nodeName', 'allNodes'] as const)
      checkImmutable<unknown>(next.spec?.[key], previous.spec?.[key], `spec.${key}`, out);
    checkImmutable(next.spec?.pool?.name, previous.spec?.pool?.name, 'spec.pool.name', out);
    return out;
  },
  fieldNames: ['spec.nodeName', 'spec.driver'],
  fields: ({ spec }) => ({ 'spec.nodeName': spec?.nodeName ?? '', 'spec.driver': spec?.driver ?? '' }),
  columns: columns<ResourceSlice>('resourceslices.resource.k8s.io', [
    ['Node', 'string', ({ spec }) => spec?.nodeName ?? '<unset>'],
    ['Driver', 'string', ({ spec }) => spec?.driver ?? ''],
    ['Pool', 'string', ({ spec }) => spec?.pool?.name ?? ''],
    age(),
  ]),
});
