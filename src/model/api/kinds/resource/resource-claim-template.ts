import { changed } from '../../defaults/missing.ts';
import type { ResourceClaimTemplate } from '../../types.ts';
import type { FieldErrors } from '../../validation/field-errors.ts';
import { checkImmutable } from '../../validation/immutable.ts';
import { checkAnnotations, checkLabels } from '../../validation/labels.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../validation/names.ts';
import { age, columns } from '../columns.ts';
import { defineKind } from '../define.ts';
import { checkClaimSpec, type ClaimSpec, defaultClaimSpec } from './resource-claim.ts';

/** Upstream: pkg/registry/resource/resourceclaimtemplate/strategy.go, pkg/apis/resource/validation. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };

export const resourceClaimTemplate = defineKind<ResourceClaimTemplate>('resource.k8s.io/v1', 'resourceclaimtemplates', {
  setDefaults: (object) =>
    object.spec?.spec === undefined
      ? object
      : changed(object, 'spec', (template) => changed(template, 'spec', (spec) => defaultClaimSpec(spec as ClaimSpec))),
  validate({ metadata, spec }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    checkAnnotations(spec?.metadata?.annotations, 'spec.metadata.annotations', out);
    checkLabels(spec?.metadata?.labels, 'spec.metadata.labels', out);
    checkClaimSpec(spec?.spec, 'spec.spec', out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    checkImmutable<unknown>(next.spec, previous.spec, 'spec', out);
    return out;
  },
  columns: columns<ResourceClaimTemplate>('resourceclaimtemplates.resource.k8s.io', [age()]),
});
