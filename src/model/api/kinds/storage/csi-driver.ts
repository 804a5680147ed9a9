import { withMissing } from '../../defaults/missing.ts';
import type { CSIDriver } from '../../types.ts';
import { duplicate, type FieldErrors, invalid, notSupported, required } from '../../validation/field-errors.ts';
import { checkImmutable } from '../../validation/immutable.ts';
import { checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkCsiDriverName } from '../../validation/volume-sources.ts';
import { age, columns, unset } from '../columns.ts';
import { defineKind } from '../define.ts';

/** Upstream: pkg/registry/storage/csidriver/strategy.go, pkg/apis/storage/v1/defaults.go and validation. */
const rule = { namespaced: false, name: nameIsDnsSubdomain, coreFinalizers: true };
const groupPolicies = ['File', 'None', 'ReadWriteOnceWithFSType'];
const defaults = {
  attachRequired: true,
  podInfoOnMount: false,
  storageCapacity: false,
  fsGroupPolicy: 'ReadWriteOnceWithFSType',
  requiresRepublish: false,
  seLinuxMount: false,
  volumeLifecycleModes: ['Persistent'],
} as const;

function checkSpec(spec: CSIDriver['spec'], out: FieldErrors): void {
  for (const key of ['attachRequired', 'podInfoOnMount', 'storageCapacity'] as const)
    if (spec?.[key] === undefined) out.push(required(`spec.${key}`));
  const policy = spec?.fsGroupPolicy;
  if (policy === undefined) out.push(required('spec.fsGroupPolicy'));
  else if (!groupPolicies.includes(policy)) out.push(notSupported('spec.fsGroupPolicy', policy, groupPolicies));
  const audiences = new Set<string>();
  for (const [i, { audience = '', expirationSeconds }] of (spec?.tokenRequests ?? []).entries()) {
    const path = `spec.tokenRequests[${i}]`;
    if (audiences.has(audience)) out.push(duplicate(`${path}.audience`, audience));
    audiences.add(audience);
    if (expirationSeconds === undefined) continue;
    if (expirationSeconds < 600)
      out.push(invalid(`${path}.expirationSeconds`, expirationSeconds, 'may not specify a duration less than 10 minutes'));
    if (expirationSeconds > 2 ** 32)
      out.push(invalid(`${path}.expirationSeconds`, expirationSeconds, 'may not specify a duration larger than 2^32 seconds'));
  }
  for (const mode of spec?.volumeLifecycleModes ?? []) {
    if (mode !== 'Persistent' && mode !== 'Ephemeral')
      out.push(notSupported('spec.volumeLifecycleModes', mode, ['Persistent', 'Ephemeral']));
  }
  if (spec?.seLinuxMount === undefined) out.push(required('spec.seLinuxMount'));
  const period = spec?.nodeAllocatableUpdatePeriodSeconds;
  if (period !== undefined && period < 10)
    out.push(invalid('spec.nodeAllocatableUpdatePeriodSeconds', period, 'must be greater than or equal to 10 seconds'));
}

export const csiDriver = defineKind<CSIDriver>('storage.k8s.io/v1', 'csidrivers', {
  setDefaults(object) {
    const spec = withMissing(object.spec ?? {}, defaults);
    return spec === object.spec ? object : { ...object, spec };
  },
  validate({ metadata, spec }) {
    const out: FieldErrors = [];
    checkCsiDriverName(metadata.name ?? '', 'name', out);
    checkSpec(spec, out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    checkSpec(next.spec, out);
    checkImmutable(next.spec?.attachRequired, previous.spec?.attachRequired, 'spec.attachedRequired', out);
    checkImmutable(next.spec?.volumeLifecycleModes, previous.spec?.volumeLifecycleModes, 'spec.volumeLifecycleModes', out);
    return out;
  },
  columns: columns<CSIDriver>('csidrivers.storage.k8s.io', [
    ['AttachRequired', 'boolean', ({ spec }) => spec?.attachRequired ?? true],
    ['PodInfoOnMount', 'boolean', ({ spec }) => spec?.podInfoOnMount ?? false],
    ['StorageCapacity', 'boolean', ({ spec }) => spec?.storageCapacity ?? false],
    [
      'TokenRequests',
      'string',
      ({ spec }) => ((spec?.tokenRequests ?? []).length === 0 ? unset : (spec?.tokenRequests ?? []).map((r) => r.audience).join(',')),
    ],
    ['RequiresRepublish', 'boolean', ({ spec }) => spec?.requiresRepublish ?? false],
    [
      'Modes',
      'string',
      ({ spec }) => ((spec?.volumeLifecycleModes ?? []).length === 0 ? '<none>' : (spec?.volumeLifecycleModes ?? []).join(',')),
    ],
    age(),
  ]),
});
