import { changed, withMissing } from '../../defaults/missing.ts';
import { defaultPodTemplate } from '../../defaults/pod-template.ts';
import type { DaemonSet, DaemonSetSpec } from '../../types.ts';
import { type FieldErrors, goMap, invalid, notSupported, required } from '../../validation/field-errors.ts';
import { checkImmutable, sameValue } from '../../validation/immutable.ts';
import { checkLabelSelector, goSelector, isEmptySelector, selectorMatches } from '../../validation/labels.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkAtMost100Percent, checkNonNegative, checkNonNegativeIntOrPercent, intOrPercentNumber } from '../../validation/numbers.ts';
import { checkPodTemplateOnce } from '../../validation/pod-template.ts';
import { podWarnings } from '../../validation/pod-warnings.ts';
import { checkAlwaysRestarts, checkCollisionCount, checkCounts, mismatch } from '../../validation/workload.ts';
import { age, columns, formatLabels, formatSelector, templateColumns } from '../columns.ts';
import { defineKind } from '../define.ts';
import { freshWithStatus, keepStatus, nextGeneration, statusUpdate } from '../strategy.ts';

/** Upstream: pkg/registry/apps/daemonset/strategy.go, pkg/apis/apps/v1/defaults.go and conversion.go, pkg/apis/apps/validation. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };
const emptySpec = {} as DaemonSetSpec;
const rollingDefaults = { maxUnavailable: 1, maxSurge: 0 } as const;
/** Where v1 keeps the internal type's templateGeneration. */
const templateGenerationKey = 'deprecated.daemonset.template.generation';

function setDefaults(set: DaemonSet): DaemonSet {
  let spec = withMissing(set.spec ?? emptySpec, { updateStrategy: {}, revisionHistoryLimit: 10, template: { spec: { containers: [] } } });
  spec = changed(spec, 'updateStrategy', (strategy) => {
    const typed = withMissing(strategy, { type: 'RollingUpdate' });
    if (typed.type !== 'RollingUpdate') return typed;
    return changed(withMissing(typed, { rollingUpdate: rollingDefaults }), 'rollingUpdate', (rolling) =>
      withMissing(rolling, rollingDefaults),
    );
  });
  spec = changed(spec, 'template', defaultPodTemplate);
  return withTemplateGeneration(spec === set.spec ? set : { ...set, spec }, templateGeneration(set));
}

function templateGeneration(set: DaemonSet): number {
  const text = set.metadata.annotations?.[templateGenerationKey];
  return text === undefined ? 0 : Number(text);
}

function withTemplateGeneration(set: DaemonSet, generation: number): DaemonSet {
  if (set.metadata.annotations?.[templateGenerationKey] === String(generation)) return set;
  return {
    ...set,
    metadata: { ...set.metadata, annotations: { ...set.metadata.annotations, [templateGenerationKey]: String(generation) } },
  };
}

function checkUpdateStrategy(strategy: DaemonSetSpec['updateStrategy'], out: FieldErrors): void {
  const field = 'spec.updateStrategy';
  const type: string = strategy?.type ?? '';
  const rolling = strategy?.rollingUpdate;
  if (type === 'OnDelete') return;
  if (type !== 'RollingUpdate') {
    const go = {
      Type: type,
      RollingUpdate: rolling === undefined ? null : { MaxUnavailable: rolling.maxUnavailable ?? 0, MaxSurge: rolling.maxSurge ?? 0 },
    };
    return void out.push(notSupported(field, go, ['RollingUpdate', 'OnDelete']));
  }
  if (rolling === undefined) return void out.push(required(`${field}.rollingUpdate`));
  const { maxUnavailable = 0, maxSurge = 0 } = rolling;
  checkNonNegativeIntOrPercent(maxUnavailable, `${field}.rollingUpdate.maxUnavailable`, out);
  checkNonNegativeIntOrPercent(maxSurge, `${field}.rollingUpdate.maxSurge`, out);
  const unavailable = intOrPercentNumber(maxUnavailable) !== 0;
  const surge = intOrPercentNumber(maxSurge) !== 0;
  if (unavailable && surge)
    out.push(invalid(`${field}.rollingUpdate.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'));
  else if (!unavailable && !surge) out.push(required(`${field}.rollingUpdate.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
  checkAtMost100Percent(maxUnavailable, `${field}.rollingUpdate.maxUnavailable`, out);
  checkAtMost100Percent(maxSurge, `${field}.rollingUpdate.maxSurge`, out);
}

function checkSpec(spec: DaemonSetSpec, out: FieldErrors): void {
  const selector = spec.selector as DaemonSetSpec['selector'] | undefined;
  const labels = spec.template?.metadata?.labels;
  checkLabelSelector(selector, 'spec.selector', out);
  if ((selector === undefined ? false : selectorMatches(selector, labels)) === false) {
    out.push(invalid('spec.template.metadata.labels', goMap(labels), mismatch));
  }
  if (selector !== undefined && isEmptySelector(selector))
    out.push(invalid('spec.selector', goSelector(selector), 'empty selector is invalid for daemonset'));
  checkPodTemplateOnce(spec.template, 'spec.template', out);
  checkAlwaysRestarts(spec.template, 'DaemonSet', out);
  checkNonNegative(spec.minReadySeconds, 'spec.minReadySeconds', out);
  checkUpdateStrategy(spec.updateStrategy, out);
  checkNonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit', out);
}

export const daemonSet = defineKind<DaemonSet>('apps/v1', 'daemonsets', {
  setDefaults,
  prepareForCreate(object) {
    const fresh = freshWithStatus(object, { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 });
    return withTemplateGeneration(fresh, Math.max(1, templateGeneration(object)));
  },
  prepareForUpdate(given, previous) {
    const templateChanged = !sameValue(given.spec?.template, previous.spec?.template);
    const next = withTemplateGeneration(keepStatus(given, previous), templateGeneration(previous) + (templateChanged ? 1 : 0));
    return nextGeneration(next, previous, !sameValue(given.spec, previous.spec));
  },
  prepareForStatusUpdate: statusUpdate,
  validate({ metadata, spec }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    checkSpec(spec ?? emptySpec, out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    checkImmutable(next.spec?.selector, previous.spec?.selector, 'spec.selector', out, goSelector);
    if (next.spec !== previous.spec) checkSpec(next.spec ?? emptySpec, out);
    return out;
  },
  validateStatusUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    checkCounts(
      next.status as Readonly<Record<string, unknown>> | undefined,
      [
        'currentNumberScheduled',
        'numberMisscheduled',
        'desiredNumberScheduled',
        'numberReady',
        'observedGeneration',
        'updatedNumberScheduled',
        'numberAvailable',
        'numberUnavailable',
        'collisionCount',
      ],
      [],
      out,
    );
    checkCollisionCount(next.status?.collisionCount, previous.status?.collisionCount, out);
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
  columns: columns<DaemonSet>('daemonsets.apps', [
    ['Desired', 'integer', ({ status }) => status?.desiredNumberScheduled ?? 0],
    ['Current', 'integer', ({ status }) => status?.currentNumberScheduled ?? 0],
    ['Ready', 'integer', ({ status }) => status?.numberReady ?? 0],
    ['Up-to-date', 'integer', ({ status }) => status?.updatedNumberScheduled ?? 0],
    ['Available', 'integer', ({ status }) => status?.numberAvailable ?? 0],
    ['Node Selector', 'string', ({ spec }) => formatLabels(spec?.template.spec?.nodeSelector)],
    age(),
    ...templateColumns<DaemonSet>(({ spec }) => spec?.template),
    ['Selector', 'string', ({ spec }) => formatSelector(spec?.selector), 1],
  ]),
});
