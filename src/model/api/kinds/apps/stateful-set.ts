import { changed, mapShared, withMissing, without } from '../../defaults/missing.ts';
import { defaultPodTemplate } from '../../defaults/pod-template.ts';
import type { KindContext } from '../../kind.ts';
import type { PersistentVolumeClaim, PodTemplateSpec, StatefulSet, StatefulSetSpec } from '../../types.ts';
import { checkClaimSpec } from '../../validation/claim-spec.ts';
import { type FieldErrors, forbidden, goMap, invalid, notSupported, required } from '../../validation/field-errors.ts';
import { sameValue } from '../../validation/immutable.ts';
import {
  checkAnnotations,
  checkLabelSelector,
  checkLabels,
  goSelector,
  isEmptySelector,
  selectorMatches,
} from '../../validation/labels.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isDns1123Label, nameIsDnsLabel } from '../../validation/names.ts';
import { checkNonNegative } from '../../validation/numbers.ts';
import { checkPodAnnotations } from '../../validation/pod-template.ts';
import { podWarnings } from '../../validation/pod-warnings.ts';
import { checkAlwaysRestarts, checkCounts, mismatch } from '../../validation/workload.ts';
import { age, columns, templateColumns } from '../columns.ts';
import { defineKind } from '../define.ts';
import { freshWithStatus, specUpdate, statusUpdate } from '../strategy.ts';

/** Upstream: pkg/registry/apps/statefulset/strategy.go, pkg/apis/apps/v1/defaults.go, pkg/apis/apps/validation. */
const rule = { namespaced: true, name: nameIsDnsLabel, coreFinalizers: true };
const emptySpec = {} as StatefulSetSpec;
const mutable =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
const retentionDefaults = { whenDeleted: 'Retain', whenScaled: 'Retain' } as const;

/** A claim template is stored as a whole claim: kind, version, defaults, and the phase a new claim has. */
function defaultClaimTemplate(claim: PersistentVolumeClaim): PersistentVolumeClaim {
  const whole = withMissing(claim, {
    kind: 'PersistentVolumeClaim',
    apiVersion: 'v1',
    metadata: {},
    spec: {},
    status: { phase: 'Pending' },
  });
  const typed = changed(whole, 'spec', (spec) => withMissing(spec, { resources: {}, volumeMode: 'Filesystem' }));
  return changed(typed, 'status', (status) => withMissing(status, { phase: 'Pending' }));
}

function setDefaults(set: StatefulSet): StatefulSet {
  let spec = withMissing(set.spec ?? emptySpec, {
    replicas: 1,
    podManagementPolicy: 'OrderedReady',
    updateStrategy: {},
    revisionHistoryLimit: 10,
    persistentVolumeClaimRetentionPolicy: retentionDefaults,
    serviceName: '',
    template: { spec: { containers: [] } },
  });
  spec = changed(spec, 'updateStrategy', (strategy) => {
    const typed = withMissing(strategy, { type: 'RollingUpdate' });
    if (typed.type !== 'RollingUpdate') return typed;
    return changed(withMissing(typed, { rollingUpdate: { partition: 0 } }), 'rollingUpdate', (rolling) =>
      withMissing(rolling, { partition: 0 }),
    );
  });
  spec = changed(spec, 'persistentVolumeClaimRetentionPolicy', (policy) => withMissing(policy, retentionDefaults));
  spec = changed(spec, 'template', defaultPodTemplate);
  if (spec.volumeClaimTemplates !== undefined)
    spec = changed(spec, 'volumeClaimTemplates', (claims) => mapShared(claims, defaultClaimTemplate));
  return spec === set.spec ? set : { ...set, spec };
}

/** maxUnavailable is behind a gate that is off (KEP-961). */
function withoutGated(set: StatefulSet, context: KindContext): StatefulSet {
  const rolling = set.spec?.updateStrategy?.rollingUpdate;
  if (set.spec === undefined || rolling?.maxUnavailable === undefined || context.featureGate('MaxUnavailableStatefulSet')) return set;
  return {
    ...set,
    spec: { ...set.spec, updateStrategy: { ...set.spec.updateStrategy, rollingUpdate: without(rolling, 'maxUnavailable') } },
  };
}

type Rolling = NonNullable<NonNullable<StatefulSetSpec['updateStrategy']>['rollingUpdate']>;

function goRolling(rolling: Rolling | undefined): unknown {
  return rolling === undefined ? null : { Partition: rolling.partition ?? 0, MaxUnavailable: rolling.maxUnavailable ?? null };
}

function checkUpdateStrategy(strategy: StatefulSetSpec['updateStrategy'], out: FieldErrors): void {
  const field = 'spec.updateStrategy';
  const type: string = strategy?.type ?? '';
  const rolling = strategy?.rollingUpdate;
  switch (type) {
    case '':
      out.push(required(field));
      break;
    case 'OnDelete':
      if (rolling !== undefined)
        out.push(invalid(`${field}.rollingUpdate`, goRolling(rolling), "only allowed for updateStrategy 'RollingUpdate'"));
      break;
    case 'RollingUpdate':
      checkNonNegative(rolling?.partition, `${field}.rollingUpdate.partition`, out);
      break;
    default:
      out.push(invalid(field, { Type: type, RollingUpdate: goRolling(rolling) }, "must be 'RollingUpdate' or 'OnDelete'"));
  }
}

function checkSpec(spec: StatefulSetSpec, claims: boolean, out: FieldErrors): void {
  const management: string = spec.podManagementPolicy ?? '';
  if (management === '') out.push(required('spec.podManagementPolicy'));
  else if (management !== 'OrderedReady' && management !== 'Parallel') {
    out.push(invalid('spec.podManagementPolicy', management, "must be 'OrderedReady' or 'Parallel'"));
  }
  checkUpdateStrategy(spec.updateStrategy, out);
  const retention = spec.persistentVolumeClaimRetentionPolicy;
  for (const key of ['whenDeleted', 'whenScaled'] as const) {
    const value: string = retention?.[key] ?? '';
    if (retention !== undefined && value !== 'Retain' && value !== 'Delete') {
      out.push(notSupported(`spec.persistentVolumeClaimRetentionPolicy.${key}`, value, ['Retain', 'Delete']));
    }
  }
  checkNonNegative(spec.replicas, 'spec.replicas', out);
  checkNonNegative(spec.minReadySeconds, 'spec.minReadySeconds', out);
  checkNonNegative(spec.ordinals?.start, 'spec.ordinals.start', out);
  const serviceName = spec.serviceName ?? '';
  if (serviceName !== '') for (const message of isDns1123Label(serviceName)) out.push(invalid('spec.serviceName', serviceName, message));
  if (claims)
    for (const [i, claim] of (spec.volumeClaimTemplates ?? []).entries())
      checkClaimSpec(claim.spec ?? {}, `spec.volumeClaimTemplates[${i}].spec`, out);

  const selector = spec.selector as StatefulSetSpec['selector'] | undefined;
  const labels = spec.template?.metadata?.labels;
  if (selector === undefined) out.push(required('spec.selector'));
  else {
    checkLabelSelector(selector, 'spec.selector', out);
    if (isEmptySelector(selector)) out.push(invalid('spec.selector', goSelector(selector), 'empty selector is invalid for statefulset'));
  }
  const matches = selector === undefined ? false : selectorMatches(selector, labels);
  if (matches === undefined) out.push(invalid('spec.selector', goSelector(selector), 'invalid label selector'));
  else {
    if (!matches) out.push(invalid('spec.template.metadata.labels', goMap(labels), mismatch));
    checkTemplate(spec.template, out);
  }
  checkAlwaysRestarts(spec.template, 'StatefulSet', out);
}

/** ValidatePodTemplateSpecForStatefulSet: the pod's spec is not looked at, because its volumes come from the claim templates. */
function checkTemplate(template: PodTemplateSpec | undefined, out: FieldErrors): void {
  checkLabels(template?.metadata?.labels, 'spec.template.labels', out);
  checkAnnotations(template?.metadata?.annotations, 'spec.template.annotations', out);
  checkPodAnnotations(template?.metadata?.annotations, template?.spec ?? { containers: [] }, 'spec.template.annotations', out);
}

/** The spec without what an update may change. */
function fixedPart(spec: StatefulSetSpec | undefined): unknown {
  const {
    replicas: _,
    template: __,
    updateStrategy: ___,
    minReadySeconds: ____,
    ordinals: _____,
    revisionHistoryLimit: ______,
    persistentVolumeClaimRetentionPolicy: _______,
    ...rest
  } = spec ?? emptySpec;
  return rest;
}

export const statefulSet = defineKind<StatefulSet>('apps/v1', 'statefulsets', {
  setDefaults,
  prepareForCreate: (object, context) => freshWithStatus(withoutGated(object, context), { replicas: 0, availableReplicas: 0 }),
  prepareForUpdate: (next, previous, context) => specUpdate(withoutGated(next, context), previous),
  prepareForStatusUpdate: statusUpdate,
  validate({ metadata, spec }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    checkSpec(spec ?? emptySpec, true, out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    if (next.spec === previous.spec) return out;
    checkSpec(next.spec ?? emptySpec, false, out);
    if (!sameValue(fixedPart(next.spec), fixedPart(previous.spec))) out.push(forbidden('spec', mutable));
    return out;
  },
  validateStatusUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    const tooMany = 'cannot be greater than status.replicas';
    checkCounts(
      next.status as Readonly<Record<string, unknown>> | undefined,
      ['replicas', 'readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas', 'observedGeneration', 'collisionCount'],
      [
        ['readyReplicas', 'replicas', tooMany],
        ['currentReplicas', 'replicas', tooMany],
        ['updatedReplicas', 'replicas', tooMany],
        ['availableReplicas', 'replicas', tooMany],
        ['availableReplicas', 'readyReplicas', 'cannot be greater than status.readyReplicas'],
      ],
      out,
    );
    return out;
  },
  warnings: (next, previous) =>
    podWarnings(
      next.spec?.template.spec ?? { containers: [] },
      next.spec?.template.metadata,
      'spec.template.spec',
      previous?.spec?.template.spec,
      previous?.spec?.template.metadata,
    ),
  columns: columns<StatefulSet>('statefulsets.apps', [
    ['Ready', 'string', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`],
    age(),
    ...templateColumns<StatefulSet>(({ spec }) => spec?.template),
  ]),
});
