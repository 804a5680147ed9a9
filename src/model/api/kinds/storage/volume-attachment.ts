import type { VolumeAttachment, VolumeAttachmentSpec } from '../../types.ts';
import { type FieldErrors, forbidden, invalid, required } from '../../validation/field-errors.ts';
import { checkImmutable } from '../../validation/immutable.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isDns1123Subdomain, nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkCsiDriverName } from '../../validation/volume-sources.ts';
import { age, columnsWithoutName } from '../columns.ts';
import { defineKind } from '../define.ts';
import { keepStatus, statusUpdate } from '../strategy.ts';

/** Upstream: pkg/registry/storage/volumeattachment/strategy.go, pkg/apis/storage/validation. */
const rule = { namespaced: false, name: nameIsDnsSubdomain, coreFinalizers: true };

function checkSpec(spec: VolumeAttachmentSpec | undefined, out: FieldErrors): void {
  const attacher = spec?.attacher ?? '';
  if (attacher === '') out.push(required('spec.attacher'));
  else checkCsiDriverName(attacher, 'spec.attacher', out);
  const { inlineVolumeSpec, persistentVolumeName } = spec?.source ?? {};
  if (inlineVolumeSpec === undefined && persistentVolumeName === undefined) {
    out.push(required('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'));
  } else if (inlineVolumeSpec !== undefined && persistentVolumeName !== undefined) {
    out.push(forbidden('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'));
  } else if (persistentVolumeName !== undefined) {
    for (const message of isDns1123Subdomain(persistentVolumeName))
      out.push(invalid('spec.source.persistentVolumeName', persistentVolumeName, message));
  }
  const nodeName = spec?.nodeName ?? '';
  for (const message of isDns1123Subdomain(nodeName)) out.push(invalid('spec.nodeName', nodeName, message));
}

function goSpec(spec: VolumeAttachmentSpec | undefined): unknown {
  return {
    Attacher: spec?.attacher ?? '',
    Source: { PersistentVolumeName: spec?.source?.persistentVolumeName ?? null, InlineVolumeSpec: spec?.source?.inlineVolumeSpec ?? null },
    NodeName: spec?.nodeName ?? '',
  };
}

export const volumeAttachment = defineKind<VolumeAttachment>('storage.k8s.io/v1', 'volumeattachments', {
  prepareForCreate: (object) => ({ ...object, status: { attached: false } }),
  prepareForUpdate: keepStatus,
  /** Everything but the status and the metadata stays. */
  prepareForStatusUpdate: statusUpdate,
  validate({ metadata, spec }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    checkSpec(spec, out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    checkImmutable<VolumeAttachmentSpec | undefined>(next.spec, previous.spec, 'spec', out, goSpec);
    return out;
  },
  columns: columnsWithoutName<VolumeAttachment>('volumeattachments.storage.k8s.io', [
    ['Name', 'string', ({ metadata }) => metadata.name ?? '', 0, 'name'],
    ['Attacher', 'string', ({ spec }) => spec?.attacher ?? '', 0, 'name'],
    ['PV', 'string', ({ spec }) => spec?.source?.persistentVolumeName ?? ''],
    ['Node', 'string', ({ spec }) => spec?.nodeName ?? ''],
    ['Attached', 'boolean', ({ status }) => status?.attached ?? false],
    age(),
  ]),
});
