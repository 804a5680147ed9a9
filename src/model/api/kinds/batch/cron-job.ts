import { parseCron } from '../../cron.ts';
import { changed, withMissing } from '../../defaults/missing.ts';
import { defaultPodTemplate } from '../../defaults/pod-template.ts';
import { isTimeZone } from '../../time-zones.ts';
import type { CronJob, CronJobSpec, JobSpec } from '../../types.ts';
import { type FieldErrors, invalid, notSupported, required } from '../../validation/field-errors.ts';
import { checkLabelSelector } from '../../validation/labels.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkNonNegative } from '../../validation/numbers.ts';
import { podWarnings } from '../../validation/pod-warnings.ts';
import { age, columns, formatSelector, none, since, templateColumns } from '../columns.ts';
import { defineKind } from '../define.ts';
import { freshWithStatus, specUpdate, statusUpdate } from '../strategy.ts';
import { checkJobSpec } from './job-spec.ts';

/** Upstream: pkg/registry/batch/cronjob/strategy.go, pkg/apis/batch/v1/defaults.go, pkg/apis/batch/validation. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };
const emptySpec = {} as CronJobSpec;
const emptyJob = {} as JobSpec;
/** The controller appends a dash and ten digits. */
const nameLengthMax = 63 - 11;

function setDefaults(cronJob: CronJob): CronJob {
  let spec = withMissing(cronJob.spec ?? emptySpec, {
    concurrencyPolicy: 'Allow',
    suspend: false,
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 1,
    jobTemplate: {},
  });
  spec = changed(spec, 'jobTemplate', (template) => {
    const whole = withMissing(template, { metadata: {}, spec: emptyJob });
    return changed(whole, 'spec', (job) =>
      changed(withMissing(job, { template: { spec: { containers: [] } } }), 'template', defaultPodTemplate),
    );
  });
  return spec === cronJob.spec ? cronJob : { ...cronJob, spec };
}

function checkSchedule(schedule: string, out: FieldErrors): void {
  if (schedule === '') return void out.push(required('spec.schedule'));
  if (schedule.includes('TZ=')) {
    return void out.push(invalid('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'));
  }
  const parsed = parseCron(schedule);
  if ('error' in parsed) out.push(invalid('spec.schedule', schedule, parsed.error));
}

function checkTimeZone(zone: string | undefined, out: FieldErrors): void {
  if (zone === undefined) return;
  if (zone === '') out.push(invalid('spec.timeZone', zone, 'timeZone must be nil or non-empty string'));
  else if (zone.toLowerCase() === 'local') {
    out.push(invalid('spec.timeZone', zone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'));
  } else if (!isTimeZone(zone)) out.push(invalid('spec.timeZone', zone, `unknown time zone ${zone}`));
}

function checkSpec(spec: CronJobSpec, out: FieldErrors): void {
  checkSchedule(spec.schedule ?? '', out);
  checkNonNegative(spec.startingDeadlineSeconds, 'spec.startingDeadlineSeconds', out);
  checkTimeZone(spec.timeZone, out);
  const policy: string = spec.concurrencyPolicy ?? '';
  const policies = ['Allow', 'Forbid', 'Replace'];
  if (policy === '') out.push(required('spec.concurrencyPolicy'));
  else if (!policies.includes(policy)) out.push(notSupported('spec.concurrencyPolicy', policy, policies));
  const job = spec.jobTemplate?.spec ?? emptyJob;
  checkJobSpec(job, 'spec.jobTemplate.spec', out);
  checkLabelSelector(job.selector, 'spec.jobTemplate.spec.selector', out);
  if (job.manualSelector === true) out.push(notSupported('spec.jobTemplate.spec.manualSelector', true, ['nil', 'false']));
  checkNonNegative(spec.successfulJobsHistoryLimit, 'spec.successfulJobsHistoryLimit', out);
  checkNonNegative(spec.failedJobsHistoryLimit, 'spec.failedJobsHistoryLimit', out);
}

export const cronJob = defineKind<CronJob>('batch/v1', 'cronjobs', {
  setDefaults,
  prepareForCreate: (object) => freshWithStatus(object, {}),
  prepareForUpdate: specUpdate,
  prepareForStatusUpdate: statusUpdate,
  validate({ metadata, spec }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    checkSpec(spec ?? emptySpec, out);
    const name = metadata.name ?? '';
    if (name.length > nameLengthMax) out.push(invalid('metadata.name', name, `must be no more than ${nameLengthMax} characters`));
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    if (next.spec !== previous.spec) checkSpec(next.spec ?? emptySpec, out);
    return out;
  },
  validateStatusUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    return out;
  },
  warnings(next, previous) {
    const template = next.spec?.jobTemplate.spec?.template;
    const before = previous?.spec?.jobTemplate.spec?.template;
    return podWarnings(
      template?.spec ?? { containers: [] },
      template?.metadata,
      'spec.jobTemplate.spec.template.spec',
      before?.spec,
      before?.metadata,
    );
  },
  columns: columns<CronJob>('cronjobs.batch', [
    ['Schedule', 'string', ({ spec }) => spec?.schedule ?? ''],
    ['Timezone', 'string', ({ spec }) => spec?.timeZone ?? none],
    ['Suspend', 'boolean', ({ spec }) => (spec?.suspend === true ? 'True' : 'False')],
    ['Active', 'integer', ({ status }) => status?.active?.length ?? 0],
    [
      'Last Schedule',
      'string',
      ({ status }, context) => (status?.lastScheduleTime === undefined ? none : since(status.lastScheduleTime, context)),
    ],
    age(),
    ...templateColumns<CronJob>(({ spec }) => spec?.jobTemplate.spec?.template),
    ['Selector', 'string', ({ spec }) => formatSelector(spec?.jobTemplate.spec?.selector), 1],
  ]),
});
