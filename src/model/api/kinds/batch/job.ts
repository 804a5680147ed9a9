import { changed, changedEach, withField, withMissing } from '../../defaults/missing.ts';
import { defaultPodTemplate } from '../../defaults/pod-template.ts';
import { parseTime } from '../../time.ts';
import type { Job, JobSpec } from '../../types.ts';
import { type FieldErrors, invalid } from '../../validation/field-errors.ts';
import { sameValue } from '../../validation/immutable.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isDns1123Label, nameIsDnsSubdomain } from '../../validation/names.ts';
import { podWarnings } from '../../validation/pod-warnings.ts';
import { age, columns, formatSelector, humanDuration, templateColumns } from '../columns.ts';
import { defineKind } from '../define.ts';
import { firstGeneration, specUpdate, statusUpdate } from '../strategy.ts';
import { checkGeneratedSelector, checkJobSelectorAndSpec, checkJobSpecUpdate } from './job-spec.ts';
import { checkJobStatus } from './job-status.ts';

/** Upstream: pkg/registry/batch/job/strategy.go, pkg/apis/batch/v1/defaults.go, pkg/apis/batch/validation. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };
const emptySpec = {} as JobSpec;
const backoffLimitMax = 2_147_483_647;

function setDefaults(job: Job): Job {
  let spec = withMissing(job.spec ?? emptySpec, { template: { spec: { containers: [] } } });
  if (spec.completions === undefined && spec.parallelism === undefined) spec = { ...spec, completions: 1, parallelism: 1 };
  spec = withMissing(spec, {
    parallelism: 1,
    backoffLimit: spec.backoffLimitPerIndex === undefined ? 6 : backoffLimitMax,
    completionMode: 'NonIndexed',
    suspend: false,
    manualSelector: false,
    podReplacementPolicy: spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed',
  });
  spec = changed(spec, 'template', defaultPodTemplate);
  if (spec.podFailurePolicy !== undefined) {
    spec = changed(spec, 'podFailurePolicy', (policy) =>
      changedEach(policy, 'rules', (r: NonNullable<JobSpec['podFailurePolicy']>['rules'][number]) =>
        changedEach(r, 'onPodConditions', (c: NonNullable<typeof r.onPodConditions>[number]) =>
          ((c.status as string | undefined) ?? '') === '' ? { ...c, status: 'True' } : c,
        ),
      ),
    );
  }
  const result = spec === job.spec ? job : { ...job, spec };
  const labels = spec.template.metadata?.labels;
  return labels === undefined || !isEmpty(job.metadata.labels) ? result : { ...result, metadata: { ...job.metadata, labels } };
}

function isEmpty(map: object | undefined): boolean {
  return map === undefined || Object.keys(map).length === 0;
}

/** generateSelector: the job's uid selects its pods, and old and new labels carry uid and name. A job without labels of its own has the template's. */
function prepareForCreate(job: Job): Job {
  const metadata = firstGeneration(job.metadata);
  const spec = job.spec ?? emptySpec;
  if (spec.manualSelector === true) return { ...job, metadata, status: {} };
  const { uid = '', name = '' } = metadata;
  const before = spec.template.metadata?.labels;
  const labels = {
    ...before,
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  };
  const matchLabels = { ...spec.selector?.matchLabels, 'batch.kubernetes.io/controller-uid': uid };
  return {
    ...job,
    metadata: isEmpty(metadata.labels) || sameValue(metadata.labels, before) ? { ...metadata, labels } : metadata,
    spec: {
      ...spec,
      selector: { ...spec.selector, matchLabels },
      template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
    },
    status: {},
  };
}

function validate(job: Job): FieldErrors {
  const out: FieldErrors = [];
  const spec = job.spec ?? emptySpec;
  // Labels that the template lent the job are the template's to answer for.
  const { labels, ...unlabelled } = job.metadata;
  checkMetadata(labels !== undefined && labels === spec.template?.metadata?.labels ? unlabelled : job.metadata, rule, out);
  checkGeneratedSelector(job, out);
  checkJobSelectorAndSpec(spec, out);
  if (spec.completionMode === 'Indexed' && (spec.completions ?? 0) > 0) {
    const name = job.metadata.name ?? '';
    const longest = `${name}-${(spec.completions ?? 0) - 1}`;
    if (isDns1123Label(longest).length > 0)
      out.push(invalid('metadata.name', name, `will not able to create pod with invalid DNS label: ${longest}`));
  }
  return out;
}

function validateUpdate(next: Job, previous: Job): FieldErrors {
  if (next.spec === previous.spec) {
    const out: FieldErrors = [];
    checkMetadata(next.metadata, rule, out);
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    return out;
  }
  const out = validate(next);
  checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
  const movable = previous.spec?.suspend === true && previous.status?.startTime === undefined;
  checkJobSpecUpdate(next.spec ?? emptySpec, previous.spec ?? emptySpec, movable, out);
  return out;
}

function statusText({ metadata, spec, status }: Job): string {
  const is = (type: string): boolean => status?.conditions?.some((c) => c.type === type && c.status === 'True') === true;
  if (is('Complete')) return 'Complete';
  if (is('Failed')) return 'Failed';
  if (metadata.deletionTimestamp !== undefined) return 'Terminating';
  if (is('Suspended') && spec !== undefined) return 'Suspended';
  if (is('FailureTarget')) return 'FailureTarget';
  if (is('SuccessCriteriaMet')) return 'SuccessCriteriaMet';
  return 'Running';
}

function completions({ spec, status }: Job): string {
  const done = status?.succeeded ?? 0;
  if (spec?.completions !== undefined) return `${done}/${spec.completions}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${done}/1 of ${parallelism}` : `${done}/1`;
}

export const job = defineKind<Job>('batch/v1', 'jobs', {
  setDefaults,
  prepareForCreate,
  /** A generated selector is not lost by an update that leaves it out. */
  prepareForUpdate(next, previous) {
    const { selector } = previous.spec ?? emptySpec;
    const kept =
      next.spec !== undefined && next.spec.selector === undefined && selector !== undefined
        ? withField(next, 'spec', { ...next.spec, selector })
        : next;
    return specUpdate(kept, previous);
  },
  prepareForStatusUpdate: statusUpdate,
  validate,
  validateUpdate,
  validateStatusUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    checkJobStatus(next, previous, out);
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
  fieldNames: ['status.successful'],
  fields: ({ status }) => ({ 'status.successful': String(status?.succeeded ?? 0) }),
  columns: columns<Job>('jobs.batch', [
    ['Status', 'string', statusText],
    ['Completions', 'string', completions],
    [
      'Duration',
      'string',
      ({ status }, { nowUs }) => {
        const start = status?.startTime === undefined ? undefined : parseTime(status.startTime);
        if (start === undefined) return '';
        const end = status?.completionTime === undefined ? nowUs : (parseTime(status.completionTime) ?? nowUs);
        return humanDuration(Math.floor((end - start) / 1_000_000));
      },
    ],
    age(),
    ...templateColumns<Job>(({ spec }) => spec?.template),
    ['Selector', 'string', ({ spec }) => formatSelector(spec?.selector), 1],
  ]),
});
