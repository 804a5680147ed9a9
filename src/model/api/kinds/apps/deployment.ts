import { changed, withMissing } from '../../defaults/missing.ts';
import { defaultPodTemplate } from '../../defaults/pod-template.ts';
import type { Deployment, DeploymentSpec } from '../../types.ts';
import { type FieldErrors, forbidden, invalid, notSupported } from '../../validation/field-errors.ts';
import { checkImmutable, sameValue } from '../../validation/immutable.ts';
import { goSelector } from '../../validation/labels.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkAtMost100Percent, checkNonNegative, checkNonNegativeIntOrPercent, intOrPercentNumber } from '../../validation/numbers.ts';
import { podWarnings } from '../../validation/pod-warnings.ts';
import { checkCollisionCount, checkCounts, checkSelectorAndTemplate } from '../../validation/workload.ts';
import { age, columns, formatSelector, templateColumns } from '../columns.ts';
import { defineKind } from '../define.ts';
import { freshWithStatus, keepStatus, nextGeneration, statusUpdateKeepingLabels } from '../strategy.ts';

/** Upstream: pkg/registry/apps/deployment/strategy.go, pkg/apis/apps/v1/defaults.go, pkg/apis/apps/validation. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };
const rollingDefaults = { maxUnavailable: '25%', maxSurge: '25%' } as const;
const emptySpec = {} as DeploymentSpec;

function setDefaults(deployment: Deployment): Deployment {
  const given = deployment.spec ?? emptySpec;
  let spec = withMissing(given, {
    replicas: 1,
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    strategy: {},
    template: { spec: { containers: [] } },
  });
  spec = changed(spec, 'strategy', (strategy) => {
    const typed = withMissing(strategy, { type: 'RollingUpdate' });
    if (typed.type !== 'RollingUpdate') return typed;
    return changed(withMissing(typed, { rollingUpdate: rollingDefaults }), 'rollingUpdate', (rolling) =>
      withMissing(rolling, rollingDefaults),
    );
  });
  spec = changed(spec, 'template', defaultPodTemplate);
  return spec === deployment.spec ? deployment : { ...deployment, spec };
}

function checkStrategy(strategy: DeploymentSpec['strategy'], out: FieldErrors): void {
  const field = 'spec.strategy';
  const type: string = strategy?.type ?? '';
  const rolling = strategy?.rollingUpdate;
  if (type === 'Recreate') {
    if (rolling !== undefined) out.push(forbidden(`${field}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'"));
  } else if (type === 'RollingUpdate') {
    const { maxUnavailable = 0, maxSurge = 0 } = rolling ?? {};
    checkNonNegativeIntOrPercent(maxUnavailable, `${field}.rollingUpdate.maxUnavailable`, out);
    checkNonNegativeIntOrPercent(maxSurge, `${field}.rollingUpdate.maxSurge`, out);
    if (intOrPercentNumber(maxUnavailable) === 0 && intOrPercentNumber(maxSurge) === 0) {
      out.push(invalid(`${field}.rollingUpdate.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
    }
    checkAtMost100Percent(maxUnavailable, `${field}.rollingUpdate.maxUnavailable`, out);
  } else {
    const go = {
      Type: type,
      RollingUpdate: rolling === undefined ? null : { MaxUnavailable: rolling.maxUnavailable ?? 0, MaxSurge: rolling.maxSurge ?? 0 },
    };
    out.push(notSupported(field, go, ['Recreate', 'RollingUpdate']));
  }
}

function checkSpec(spec: DeploymentSpec | undefined, out: FieldErrors): void {
  checkNonNegative(spec?.replicas, 'spec.replicas', out);
  checkSelectorAndTemplate(spec, { selector: 'deployment', deadline: 'ReplicaSet' }, out);
  checkStrategy(spec?.strategy, out);
  checkNonNegative(spec?.minReadySeconds, 'spec.minReadySeconds', out);
  checkNonNegative(spec?.revisionHistoryLimit, 'spec.revisionHistoryLimit', out);
  const deadline = spec?.progressDeadlineSeconds;
  if (deadline === undefined) return;
  checkNonNegative(deadline, 'spec.progressDeadlineSeconds', out);
  if (deadline <= (spec?.minReadySeconds ?? 0))
    out.push(invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
}

export const deployment = defineKind<Deployment>('apps/v1', 'deployments', {
  setDefaults,
  prepareForCreate: (object) => freshWithStatus(object, {}),
  prepareForUpdate(next, previous) {
    const hasChanged = !sameValue(next.spec, previous.spec) || !sameValue(next.metadata.annotations, previous.metadata.annotations);
    return nextGeneration(keepStatus(next, previous), previous, hasChanged);
  },
  prepareForStatusUpdate: statusUpdateKeepingLabels,
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
    const tooMany = 'cannot be greater than status.replicas';
    checkCounts(
      next.status as Readonly<Record<string, unknown>> | undefined,
      ['observedGeneration', 'replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas', 'unavailableReplicas', 'collisionCount'],
      [
        ['updatedReplicas', 'replicas', tooMany],
        ['readyReplicas', 'replicas', tooMany],
        ['availableReplicas', 'replicas', tooMany],
        ['availableReplicas', 'readyReplicas', 'cannot be greater than readyReplicas'],
      ],
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
  columns: columns<Deployment>('deployments.apps', [
    ['Ready', 'string', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`],
    ['Up-to-date', 'string', ({ status }) => status?.updatedReplicas ?? 0],
    ['Available', 'string', ({ status }) => status?.availableReplicas ?? 0],
    age(),
    ...templateColumns<Deployment>(({ spec }) => spec?.template),
    ['Selector', 'string', ({ spec }) => formatSelector(spec?.selector), 1],
  ]),
});
