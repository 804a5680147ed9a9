import { changed, withMissing } from '../../defaults/missing.ts';
import { defaultPodTemplate } from '../../defaults/pod-template.ts';
import type { ReplicationController } from '../../types.ts';
import { type FieldErrors, goMap, invalid, required } from '../../validation/field-errors.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkNonNegative } from '../../validation/numbers.ts';
import { checkPodTemplateOnce } from '../../validation/pod-template.ts';
import { podWarnings } from '../../validation/pod-warnings.ts';
import { checkAlwaysRestarts, checkCounts, mismatch } from '../../validation/workload.ts';
import { replicaSetCountRules } from '../apps/replica-set.ts';
import { age, columns, formatLabels, templateColumns } from '../columns.ts';
import { defineKind } from '../define.ts';
import { freshWithStatus, specUpdate, statusUpdate } from '../strategy.ts';

/** Upstream: pkg/registry/core/replicationcontroller/strategy.go, pkg/apis/core/v1/defaults.go, pkg/apis/core/validation. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };
type Spec = NonNullable<ReplicationController['spec']>;

/** Labels and selector default to the template's labels. */
function setDefaults(controller: ReplicationController): ReplicationController {
  const labels = controller.spec?.template?.metadata?.labels;
  let spec: Spec = withMissing(controller.spec ?? {}, { replicas: 1 });
  if (labels !== undefined && Object.keys(spec.selector ?? {}).length === 0) spec = { ...spec, selector: labels };
  if (spec.template !== undefined) spec = changed(spec, 'template', defaultPodTemplate);
  const result = spec === controller.spec ? controller : { ...controller, spec };
  if (labels === undefined || Object.keys(controller.metadata.labels ?? {}).length > 0) return result;
  return { ...result, metadata: { ...controller.metadata, labels } };
}

function checkSpec(spec: Spec, out: FieldErrors): void {
  checkNonNegative(spec.minReadySeconds, 'spec.minReadySeconds', out);
  const selector = spec.selector ?? {};
  const keys = Object.keys(selector);
  if (keys.length === 0) out.push(required('spec.selector'));
  checkNonNegative(spec.replicas, 'spec.replicas', out);
  if (spec.template === undefined) return void out.push(required('spec.template'));
  const labels = spec.template.metadata?.labels;
  if (keys.some((key) => labels?.[key] !== selector[key])) out.push(invalid('spec.template.metadata.labels', goMap(labels), mismatch));
  checkPodTemplateOnce(spec.template, 'spec.template', out);
  checkAlwaysRestarts(spec.template, 'ReplicationController', out);
}

export const replicationController = defineKind<ReplicationController>('v1', 'replicationcontrollers', {
  setDefaults,
  prepareForCreate: (object) => freshWithStatus(object, { replicas: 0 }),
  prepareForUpdate: specUpdate,
  prepareForStatusUpdate: statusUpdate,
  validate({ metadata, spec }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    checkSpec(spec ?? {}, out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    if (next.spec !== previous.spec) {
      checkMetadata(next.metadata, rule, out);
      checkSpec(next.spec ?? {}, out);
    }
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    if (next.spec !== previous.spec) checkSpec(next.spec ?? {}, out);
    return out;
  },
  validateStatusUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    checkCounts(
      next.status as Readonly<Record<string, unknown>> | undefined,
      replicaSetCountRules.nonNegative,
      replicaSetCountRules.atMost,
      out,
    );
    return out;
  },
  warnings: (next, previous) =>
    podWarnings(
      next.spec?.template?.spec ?? { containers: [] },
      next.spec?.template?.metadata,
      'spec.template.spec',
      previous?.spec?.template?.spec,
      previous?.spec?.template?.metadata,
    ),
  fieldNames: ['status.replicas'],
  fields: ({ status }) => ({ 'status.replicas': String(status?.replicas ?? 0) }),
  columns: columns<ReplicationController>('replicationcontrollers', [
    ['Desired', 'integer', ({ spec }) => spec?.replicas ?? 0],
    ['Current', 'integer', ({ status }) => status?.replicas ?? 0],
    ['Ready', 'integer', ({ status }) => status?.readyReplicas ?? 0],
    age(),
    ...templateColumns<ReplicationController>(({ spec }) => spec?.template),
    ['Selector', 'string', ({ spec }) => formatLabels(spec?.selector), 1],
  ]),
});
