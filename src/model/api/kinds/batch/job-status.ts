import { parseTime } from '../../time.ts';
import type { Job } from '../../types.ts';
import { duplicate, type FieldErrors, invalid, omitValue, required } from '../../validation/field-errors.ts';
import { checkImmutable } from '../../validation/immutable.ts';
import { checkNonNegative } from '../../validation/numbers.ts';
import { countIndexes } from './job-spec.ts';

/** What a job's status may say. Upstream: ValidateJobStatus of pkg/apis/batch/validation, with the options of pkg/registry/batch/job. */
export function checkJobStatus(next: Job, previous: Job, out: FieldErrors): void {
  const status = next.status;
  if (status === undefined || status === previous.status) return;
  for (const key of ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const) checkNonNegative(status[key], `status.${key}`, out);
  const uncounted = status.uncountedTerminatedPods;
  const seen = new Set<string>();
  for (const key of ['succeeded', 'failed'] as const) {
    for (const [i, uid] of (uncounted?.[key] ?? []).entries()) {
      const path = `status.uncountedTerminatedPods.${key}[${i}]`;
      if (uid === '') out.push(invalid(path, uid, 'must not be empty'));
      else if (seen.has(uid)) out.push(duplicate(path, uid));
      seen.add(uid);
    }
  }
  const is = (type: string): boolean => status.conditions?.some((c) => c.type === type && c.status === 'True') === true;
  const complete = is('Complete');
  const failed = is('Failed');
  const { startTime, completionTime } = status;
  const refuse = (detail: string): void => void out.push(invalid('status.conditions', omitValue, detail));
  if (complete && failed) refuse('cannot set Complete=True and Failed=true conditions');
  if (complete && is('FailureTarget')) refuse('cannot set Complete=True and FailureTarget=true conditions');
  if (completionTime !== undefined && !complete)
    out.push(invalid('status.completionTime', completionTime, 'cannot set completionTime when there is no Complete=True condition'));
  if (complete && completionTime === undefined) out.push(required('status.completionTime', 'completionTime is required for Complete jobs'));
  if (completionTime !== undefined && startTime !== undefined && (parseTime(completionTime) ?? 0) < (parseTime(startTime) ?? 0)) {
    out.push(invalid('status.completionTime', completionTime, 'must be equal to or after `startTime`'));
  }
  if (failed && !is('FailureTarget')) refuse('cannot set Failed=True condition without the FailureTarget=true condition');
  if (complete && !is('SuccessCriteriaMet')) refuse('cannot set Complete=True condition without the SuccessCriteriaMet=true condition');
  if (complete || failed) {
    if ((status.active ?? 0) > 0) out.push(invalid('status.active', status.active, 'active>0 is invalid for finished job'));
    if (startTime === undefined) out.push(required('status.startTime', 'startTime is required for finished job'));
    if ((uncounted?.succeeded ?? []).length > 0 || (uncounted?.failed ?? []).length > 0) {
      out.push(
        invalid(
          'status.uncountedTerminatedPods',
          { Succeeded: uncounted?.succeeded ?? null, Failed: uncounted?.failed ?? null },
          'uncountedTerminatedPods needs to be empty for finished job',
        ),
      );
    }
  }
  const completions = next.spec?.completions ?? 0;
  for (const key of ['completedIndexes', 'failedIndexes'] as const) {
    const text = status[key] ?? '';
    if (text === '' || text === (previous.status?.[key] ?? '')) continue;
    if (next.spec?.completionMode !== 'Indexed') {
      out.push(invalid(`status.${key}`, text, `cannot set non-empty ${key} when non-indexed completion mode`));
      continue;
    }
    const problem = countIndexes(text, completions);
    if (typeof problem === 'string') out.push(invalid(`status.${key}`, text, `error parsing ${key}: ${problem}`));
  }
  if (previous.status?.completionTime !== undefined)
    checkImmutable(completionTime, previous.status.completionTime, 'status.completionTime', out);
}
