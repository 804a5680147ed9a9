import type { Job, JobSpec, PodFailurePolicy, PodTemplateSpec } from '../../types.ts';
import {
  duplicate,
  type FieldErrors,
  goMap,
  invalid,
  notSupported,
  omitValue,
  required,
  tooLong,
  tooMany,
} from '../../validation/field-errors.ts';
import { goPodTemplate } from '../../validation/go-pod-template.ts';
import { checkImmutable, immutableMessage, sameValue } from '../../validation/immutable.ts';
import { checkLabelSelector, goSelector, selectorMatches } from '../../validation/labels.ts';
import { isQualifiedName } from '../../validation/names.ts';
import { checkNonNegative } from '../../validation/numbers.ts';
import { checkPodTemplateOnce } from '../../validation/pod-template.ts';
import { mismatch } from '../../validation/workload.ts';

/** The spec of jobs and of cron jobs' templates. Upstream: ValidateJobSpec of pkg/apis/batch/validation/validation.go. */

const indexedParallelismMax = 100_000;
const completionsSoftMax = 100_000;
const noTemplate: PodTemplateSpec = { spec: { containers: [] } };

/** validateGeneratedSelector. */
export function checkGeneratedSelector({ metadata, spec }: Job, out: FieldErrors): void {
  if (spec === undefined || spec.manualSelector === true || spec.selector === undefined) return;
  const { uid = '', name = '' } = metadata;
  if (uid === '') out.push(required('metadata.uid'));
  const labels = spec.template?.metadata?.labels;
  const expected: Readonly<Record<string, string>> = {
    'controller-uid': uid,
    'job-name': name,
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
  };
  for (const [key, value] of Object.entries(expected)) {
    const path = `spec.template.metadata.labels[${key}]`;
    if (labels?.[key] === undefined) out.push(required(path, `must be '${value}'`));
    else if (labels[key] !== value) out.push(invalid(path, goMap(labels), `must be '${value}'`));
  }
  if (selectorMatches(spec.selector, expected) === false)
    out.push(invalid('spec.selector', goSelector(spec.selector), '`selector` not auto-generated'));
}

/** ValidateJobSpec. */
export function checkJobSelectorAndSpec(spec: JobSpec, out: FieldErrors): void {
  checkJobSpec(spec, 'spec', out);
  if (spec.selector === undefined) out.push(required('spec.selector'));
  else checkLabelSelector(spec.selector, 'spec.selector', out);
  const labels = spec.template?.metadata?.labels;
  if ((spec.selector === undefined ? false : selectorMatches(spec.selector, labels)) === false) {
    out.push(invalid('spec.template.metadata.labels', goMap(labels), mismatch));
  }
}

/** validateJobSpec. */
export function checkJobSpec(spec: JobSpec, field: string, out: FieldErrors): void {
  for (const key of [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
  ] as const) {
    checkNonNegative(spec[key], `${field}.${key}`, out);
  }
  const { maxFailedIndexes, backoffLimitPerIndex, completions, managedBy } = spec;
  if (maxFailedIndexes !== undefined) {
    checkNonNegative(maxFailedIndexes, `${field}.maxFailedIndexes`, out);
    if (backoffLimitPerIndex === undefined) out.push(required(`${field}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  }
  if (managedBy !== undefined) checkDomainPrefixedPath(managedBy, `${field}.managedBy`, out);
  checkCompletionMode(spec, field, out);
  if (spec.podFailurePolicy !== undefined) checkPodFailurePolicy(spec, spec.podFailurePolicy, `${field}.podFailurePolicy`, out);
  if (spec.successPolicy !== undefined) {
    if (spec.completionMode !== 'Indexed')
      out.push(invalid(`${field}.successPolicy`, goSuccessPolicy(spec.successPolicy), 'requires indexed completion mode'));
    else checkSuccessPolicy(spec.successPolicy, completions ?? 0, `${field}.successPolicy.rules`, out);
  }
  const replacement: string | undefined = spec.podReplacementPolicy;
  if (replacement !== undefined) {
    const supported = spec.podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed'];
    if (!supported.includes(replacement)) out.push(notSupported(`${field}.podReplacementPolicy`, replacement, supported));
  }
  const template = spec.template ?? noTemplate;
  checkPodTemplateOnce(template, `${field}.template`, out);
  const policy: string = template.spec?.restartPolicy ?? '';
  const path = `${field}.template.spec.restartPolicy`;
  if (policy === 'Always' || policy === '') out.push(required(path, 'valid values: "OnFailure", "Never"'));
  else if (policy !== 'OnFailure' && policy !== 'Never') out.push(notSupported(path, policy, ['OnFailure', 'Never']));
  else if (spec.podFailurePolicy !== undefined && policy !== 'Never')
    out.push(invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified'));
}

function checkCompletionMode(spec: JobSpec, field: string, out: FieldErrors): void {
  const mode: string | undefined = spec.completionMode;
  const { completions, parallelism = 0, maxFailedIndexes, backoffLimitPerIndex } = spec;
  if (mode !== undefined && mode !== 'NonIndexed' && mode !== 'Indexed') {
    out.push(notSupported(`${field}.completionMode`, mode, ['NonIndexed', 'Indexed']));
  }
  if (mode !== 'Indexed') {
    if (mode !== undefined && mode !== 'NonIndexed') return;
    if (backoffLimitPerIndex !== undefined)
      out.push(invalid(`${field}.backoffLimitPerIndex`, backoffLimitPerIndex, 'requires indexed completion mode'));
    if (maxFailedIndexes !== undefined)
      out.push(invalid(`${field}.maxFailedIndexes`, maxFailedIndexes, 'requires indexed completion mode'));
    return;
  }
  if (completions === undefined) out.push(required(`${field}.completions`, 'when completion mode is Indexed'));
  if (parallelism > indexedParallelismMax) {
    out.push(
      invalid(
        `${field}.parallelism`,
        parallelism,
        `must be less than or equal to ${indexedParallelismMax} when completion mode is Indexed`,
      ),
    );
  }
  if (completions !== undefined && maxFailedIndexes !== undefined && maxFailedIndexes > completions) {
    out.push(invalid(`${field}.maxFailedIndexes`, maxFailedIndexes, 'must be less than or equal to completions'));
  }
  if (maxFailedIndexes !== undefined && maxFailedIndexes > completionsSoftMax) {
    out.push(invalid(`${field}.maxFailedIndexes`, maxFailedIndexes, `must be less than or equal to ${completionsSoftMax}`));
  }
  if (completions === undefined || completions <= completionsSoftMax || backoffLimitPerIndex === undefined) return;
  const high = `when completions are above ${completionsSoftMax} and used with backoff limit per index`;
  if (maxFailedIndexes === undefined) out.push(required(`${field}.maxFailedIndexes`, `must be specified ${high}`));
  if (parallelism > 10_000) out.push(invalid(`${field}.parallelism`, parallelism, `must be less than or equal to 10000 ${high}`));
  if (maxFailedIndexes !== undefined && maxFailedIndexes > 10_000) {
    out.push(invalid(`${field}.maxFailedIndexes`, maxFailedIndexes, `must be less than or equal to 10000 ${high}`));
  }
}

/** validation.IsDomainPrefixedPath, and the length limit of managedBy. */
export function checkDomainPrefixedPath(path: string, field: string, out: FieldErrors, lengthMax = 63): void {
  if (path === '') return void out.push(required(field));
  const slash = path.indexOf('/');
  if (slash <= 0 || slash === path.length - 1)
    return void out.push(invalid(field, path, 'must be a domain-prefixed path (such as "acme.io/foo")'));
  const messages = isQualifiedName(`${path.slice(0, slash)}/x`);
  for (const message of messages) out.push(invalid(field, path.slice(0, slash), message.replace(/^prefix part /, '')));
  if (!/^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(path.slice(slash + 1))) {
    out.push(
      invalid(field, path.slice(slash + 1), `Invalid path (e.g. 'foo', regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')`),
    );
  }
  if (path.length > lengthMax) out.push(tooLong(field, lengthMax));
}

const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore'];

function checkPodFailurePolicy(spec: JobSpec, policy: PodFailurePolicy, field: string, out: FieldErrors): void {
  const rules = policy.rules ?? [];
  if (rules.length > 20) out.push(tooMany(`${field}.rules`, rules.length, 20));
  const containers = new Set(
    [...(spec.template?.spec?.containers ?? []), ...(spec.template?.spec?.initContainers ?? [])].map((c) => c.name),
  );
  for (const [i, r] of rules.entries()) {
    const path = `${field}.rules[${i}]`;
    const action: string = r.action ?? '';
    if (action === '') out.push(required(`${path}.action`, `valid values: ${JSON.stringify(actions).replaceAll(',', ' ')}`));
    else if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) {
      out.push(invalid(`${path}.action`, action, 'requires the backoffLimitPerIndex to be set'));
    } else if (!actions.includes(action)) out.push(notSupported(`${path}.action`, action, actions));
    if (r.onExitCodes !== undefined) checkExitCodes(r.onExitCodes, containers, `${path}.onExitCodes`, out);
    const conditions = r.onPodConditions ?? [];
    if (conditions.length > 20) out.push(tooMany(`${path}.onPodConditions`, conditions.length, 20));
    for (const [j, condition] of conditions.entries()) {
      const type: string = condition.type ?? '';
      const status: string = condition.status ?? '';
      for (const message of isQualifiedName(type)) out.push(invalid(`${path}.onPodConditions[${j}].type`, type, message));
      if (status === '') out.push(required(`${path}.onPodConditions[${j}].status`, 'valid values: ["False" "True" "Unknown"]'));
      else if (!['False', 'True', 'Unknown'].includes(status))
        out.push(notSupported(`${path}.onPodConditions[${j}].status`, status, ['False', 'True', 'Unknown']));
    }
    if (r.onExitCodes !== undefined && conditions.length > 0) {
      out.push(invalid(path, omitValue, 'specifying both OnExitCodes and OnPodConditions is not supported'));
    }
    if (r.onExitCodes === undefined && conditions.length === 0) {
      out.push(invalid(path, omitValue, 'specifying one of OnExitCodes and OnPodConditions is required'));
    }
  }
}

type ExitCodes = NonNullable<PodFailurePolicy['rules'][number]['onExitCodes']>;

function checkExitCodes(requirement: ExitCodes, containers: ReadonlySet<string>, field: string, out: FieldErrors): void {
  const operator: string = requirement.operator ?? '';
  if (operator === '') out.push(required(`${field}.operator`, 'valid values: ["In" "NotIn"]'));
  else if (operator !== 'In' && operator !== 'NotIn') out.push(notSupported(`${field}.operator`, operator, ['In', 'NotIn']));
  const container = requirement.containerName;
  if (container !== undefined && !containers.has(container)) {
    out.push(invalid(`${field}.containerName`, container, 'must be one of the container or initContainer names in the pod template'));
  }
  const values = requirement.values ?? [];
  if (values.length === 0) out.push(invalid(`${field}.values`, values, 'at least one value is required'));
  else if (values.length > 255) out.push(tooMany(`${field}.values`, values.length, 255));
  let ordered = true;
  const seen = new Set<number>();
  for (const [i, value] of values.entries()) {
    if (operator === 'In' && value === 0) out.push(invalid(`${field}.values[${i}]`, value, 'must not be 0 for the In operator'));
    if (seen.has(value)) out.push(duplicate(`${field}.values[${i}]`, value));
    seen.add(value);
    if (i > 0 && (values[i - 1] ?? 0) > value) ordered = false;
  }
  if (!ordered) out.push(invalid(`${field}.values`, values, 'must be ordered'));
}

type SuccessPolicy = NonNullable<JobSpec['successPolicy']>;

function goSuccessPolicy(policy: SuccessPolicy): unknown {
  return {
    Rules: (policy.rules ?? []).map((r) => ({ SucceededIndexes: r.succeededIndexes ?? null, SucceededCount: r.succeededCount ?? null })),
  };
}

function checkSuccessPolicy(policy: SuccessPolicy, completions: number, field: string, out: FieldErrors): void {
  const rules = policy.rules ?? [];
  if (rules.length === 0) out.push(required(field, 'at least one rules must be specified when the successPolicy is specified'));
  if (rules.length > 20) out.push(tooMany(field, rules.length, 20));
  for (const [i, { succeededCount, succeededIndexes }] of rules.entries()) {
    const path = `${field}[${i}]`;
    if (succeededCount === undefined && succeededIndexes === undefined) {
      out.push(required(path, 'at least one of succeededCount or succeededIndexes must be specified'));
    }
    let total = 0;
    if (succeededIndexes !== undefined) {
      if (succeededIndexes.length > 64 * 1024) out.push(tooLong(`${path}.succeededIndexes`, 64 * 1024));
      const parsed = countIndexes(succeededIndexes, completions);
      if (typeof parsed === 'string')
        out.push(invalid(`${path}.succeededIndexes`, succeededIndexes, `error parsing succeededIndexes: ${parsed}`));
      else total = parsed;
    }
    if (succeededCount === undefined) continue;
    checkNonNegative(succeededCount, `${path}.succeededCount`, out);
    if (succeededCount > completions) {
      out.push(
        invalid(
          `${path}.succeededCount`,
          succeededCount,
          `must be less than or equal to ${completions} (the number of specified completions)`,
        ),
      );
    }
    if (total > 0 && succeededCount > total) {
      out.push(
        invalid(
          `${path}.succeededCount`,
          succeededCount,
          `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`,
        ),
      );
    }
  }
}

/** validateIndexesFormat: how many indexes "1,3-5" names, or what is wrong with it. */
export function countIndexes(text: string, completions: number): number | string {
  if (text === '') return 0;
  let previous = -1;
  let total = 0;
  for (const part of text.split(',')) {
    const ends = part.split('-');
    if (ends.length > 2)
      return `the fragment "${part}" violates the requirement that an index interval can have at most two parts separated by '-'`;
    let first = 0;
    for (const [i, end] of ends.entries()) {
      if (!/^[+-]?[0-9]+$/.test(end)) return `cannot convert string to integer for index: "${end}"`;
      const index = Number(end);
      if (index >= completions) return `too large index: "${end}"`;
      if (index <= previous) return `non-increasing order, previous: ${previous}, current: ${index}`;
      previous = index;
      if (i === 0) first = index;
    }
    total += previous - first + 1;
  }
  return total;
}

/** ValidateJobSpecUpdate. `movable`: suspended before it ever started, so scheduling directives may change. */
export function checkJobSpecUpdate(next: JobSpec, previous: JobSpec, movable: boolean, out: FieldErrors): void {
  checkJobSelectorAndSpec(next, out);
  checkCompletionsUpdate(next, previous, out);
  checkImmutable(next.selector, previous.selector, 'spec.selector', out, goSelector);
  const template = movable ? withDirectivesOf(next.template, previous.template) : next.template;
  if (!sameValue(template, previous.template)) out.push(invalid('spec.template', goPodTemplate(template), immutableMessage));
  checkImmutable(next.completionMode, previous.completionMode, 'spec.completionMode', out);
  checkImmutable(next.podFailurePolicy, previous.podFailurePolicy, 'spec.podFailurePolicy', out);
  checkImmutable(next.backoffLimitPerIndex, previous.backoffLimitPerIndex, 'spec.backoffLimitPerIndex', out);
  checkImmutable(next.managedBy, previous.managedBy, 'spec.managedBy', out);
  checkImmutable(next.successPolicy, previous.successPolicy, 'spec.successPolicy', out, (policy) =>
    policy === undefined ? null : goSuccessPolicy(policy),
  );
}

/** Completions of an indexed job follow its parallelism (KEP-3715). */
function checkCompletionsUpdate(next: JobSpec, previous: JobSpec, out: FieldErrors): void {
  const field = 'spec.completions';
  if (next.completions === previous.completions) return;
  if (next.completions === undefined || previous.completions === undefined || next.completionMode !== 'Indexed') {
    return void checkImmutable(next.completions, previous.completions, field, out);
  }
  if (next.completions !== next.parallelism)
    out.push(invalid(field, next.completions, 'can only be modified in tandem with spec.parallelism'));
}

const directives = ['nodeSelector', 'tolerations', 'schedulingGates', 'affinity'] as const;

function withDirectivesOf(next: PodTemplateSpec, previous: PodTemplateSpec): PodTemplateSpec {
  const spec: Record<string, unknown> = { ...next.spec };
  for (const key of directives) {
    if (previous.spec?.[key] === undefined) delete spec[key];
    else spec[key] = previous.spec[key];
  }
  return {
    ...next,
    metadata: { ...next.metadata, ...pick(previous.metadata, 'labels'), ...pick(previous.metadata, 'annotations') },
    spec: spec as unknown as NonNullable<PodTemplateSpec['spec']>,
  };
}

function pick<T extends object, K extends keyof T>(from: T | undefined, key: K): Partial<T> {
  return from?.[key] === undefined ? {} : ({ [key]: from[key] } as unknown as Partial<T>);
}
