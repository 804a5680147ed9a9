import { defaultPodTemplate } from '../../defaults/pod-template.ts';
import { withField } from '../../defaults/missing.ts';
import type { PodTemplate, PodTemplateSpec } from '../../types.ts';
import type { FieldErrors } from '../../validation/field-errors.ts';
import { sameValue } from '../../validation/immutable.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkPodTemplate } from '../../validation/pod-template.ts';
import { columns, formatLabels, templateColumns } from '../columns.ts';
import { defineKind } from '../define.ts';
import { freshGeneration, nextGeneration } from '../strategy.ts';

/** Upstream: pkg/registry/core/podtemplate/strategy.go. Its generation counts changes of the template. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };
const empty: PodTemplateSpec = { spec: { containers: [] } };

export const podTemplate = defineKind<PodTemplate>('v1', 'podtemplates', {
  hasGeneration: true,
  setDefaults: (object) => withField(object, 'template', defaultPodTemplate(object.template ?? empty)),
  prepareForCreate: freshGeneration,
  prepareForUpdate: (next, previous) => nextGeneration(next, previous, !sameValue(next.template, previous.template)),
  validate({ metadata, template }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    checkPodTemplate(template ?? empty, 'template', out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    if (next.template !== previous.template) checkPodTemplate(next.template ?? empty, 'template', out);
    return out;
  },
  columns: columns<PodTemplate>('podtemplates', [
    ...templateColumns<PodTemplate>(({ template }) => template, 0),
    ['Pod Labels', 'string', ({ template }) => formatLabels(template?.metadata?.labels)],
  ]),
});
