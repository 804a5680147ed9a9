import { changed, withMissing } from '../../defaults/missing.ts';
import { defaultPodTemplate } from '../../defaults/pod-template.ts';
import type { ReplicaSet, ReplicaSetSpec } from '../../types.ts';
import type { FieldErrors } from '../../validation/field-errors.ts';
import { checkImmutable } from '../../validation/immutable.ts';
import { goSelector } from '../../validation/labels.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkNonNegative } from '../../validation/numbers.ts';
import { podWarnings } from '../../validation/pod-warnings.ts';
import { checkCounts, checkSelectorAndTemplate } from '../../validation/workload.ts';
import { age, columns, formatSelector, templateColumns } from '../columns.ts';
import { defineKind } from '../define.ts';
import { freshWithStatus, specUpdate, statusUpdate } from '../strategy.ts';

/** Upstream: pkg/registry/apps/replicaset/strategy.go, pkg/apis/apps/v1/defaults.go, pkg/apis/apps/validation. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };
const emptySpec = {} as ReplicaSetSpec;

function setDefaults(set: ReplicaSet): ReplicaSet {
  const complete = withMissing(set.spec ?? emptySpec, { replicas: 1, template: { spec: { containers: [] } } });
  const spec = changed(complete, 'template', defaultPodTemplate);
  return spec === set.spec ? set : { ...set, spec };
}

function checkSpec(spec: ReplicaSetSpec | undefined, out: FieldErrors): void {
  checkNonNegative(spec?.replicas, 'spec.replicas', out);
  checkNonNegative(spec?.minReadySeconds, 'spec.minReadySeconds', out);
  checkSelectorAndTemplate(spec, { selector: 'deployment', deadline: 'ReplicaSet' }, out);
}

export const replicaSetCountRules = {
  nonNegative: ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'observedGeneration'],
  atMost: [
    ['fullyLabeledReplicas', 'replicas', 'cannot be greater than status.replicas'],
    ['readyReplicas', 'replicas', 'cannot be greater than status.replicas'],
    ['availableReplicas', 'replicas', 'cannot be greater than status.replicas'],
    ['availableReplicas', 'readyReplicas', 'cannot be greater than readyReplicas'],
  ],
} as const;

export const replicaSet = defineKind<ReplicaSet>('apps/v1', 'replicasets', {
  setDefaults,
  prepareForCreate: (object) => freshWithStatus(object, { replicas: 0 }),
  prepareForUpdate: specUpdate,
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
    if (next.spec !== previous.spec) checkSpec(next.spec, out);
    checkImmutable(next.spec?.selector, previous.spec?.selector, 'spec.selector', out, goSelector);
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
  columns: columns<ReplicaSet>('replicasets.apps', [
    ['Desired', 'integer', ({ spec }) => spec?.replicas ?? 0],
    ['Current', 'integer', ({ status }) => status?.replicas ?? 0],
    ['Ready', 'integer', ({ status }) => status?.readyReplicas ?? 0],
    age(),
    ...templateColumns<ReplicaSet>(({ spec }) => spec?.template),
    ['Selector', 'string', ({ spec }) => formatSelector(spec?.selector), 1],
  ]),
});
