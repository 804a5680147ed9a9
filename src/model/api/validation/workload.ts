import type { LabelSelector, PodTemplateSpec } from '../types.ts';
import { type FieldErrors, forbidden, goMap, invalid, notSupported, required } from './field-errors.ts';
import { checkLabelSelector, goSelector, isEmptySelector, selectorMatches } from './labels.ts';
import { checkNonNegative } from './numbers.ts';
import { checkPodTemplateOnce } from './pod-template.ts';

/** Selector and template of workloads. Upstream: pkg/apis/apps/validation/validation.go. */

const noTemplate: PodTemplateSpec = { spec: { containers: [] } };
export const mismatch = '`selector` does not match template `labels`';

/** Selector required, well formed and not empty; then the template against it. `workload`: as upstream spells it in the messages. */
export function checkSelectorAndTemplate(
  spec: { readonly selector?: LabelSelector; readonly template?: PodTemplateSpec } | undefined,
  workload: { readonly selector: string; readonly deadline: string },
  out: FieldErrors,
): void {
  const selector = spec?.selector;
  if (selector === undefined) out.push(required('spec.selector'));
  else {
    checkLabelSelector(selector, 'spec.selector', out);
    if (isEmptySelector(selector))
      out.push(invalid('spec.selector', goSelector(selector), `empty selector is invalid for ${workload.selector}`));
  }
  const template = spec?.template ?? noTemplate;
  const labels = template.metadata?.labels;
  const matches = selector === undefined ? false : selectorMatches(selector, labels);
  if (matches === undefined) return void out.push(invalid('spec.selector', goSelector(selector), 'invalid label selector'));
  if (!matches) out.push(invalid('spec.template.metadata.labels', goMap(labels), mismatch));
  checkPodTemplateOnce(template, 'spec.template', out);
  checkAlwaysRestarts(template, workload.deadline, out);
}

/** Pods of these workloads restart for ever. */
export function checkAlwaysRestarts(template: PodTemplateSpec, workload: string, out: FieldErrors): void {
  const policy = template.spec?.restartPolicy;
  if (policy !== undefined && policy !== 'Always') out.push(notSupported('spec.template.spec.restartPolicy', policy, ['Always']));
  if (template.spec?.activeDeadlineSeconds !== undefined) {
    out.push(forbidden('spec.template.spec.activeDeadlineSeconds', `activeDeadlineSeconds in ${workload} is not Supported`));
  }
}

interface Counts {
  readonly [field: string]: unknown;
}

/** Counters of a status: none negative, and none above another. */
export function checkCounts(
  status: Counts | undefined,
  nonNegative: readonly string[],
  atMost: readonly (readonly [string, string, string])[],
  out: FieldErrors,
): void {
  const value = (field: string): number => (status?.[field] as number | undefined) ?? 0;
  for (const field of nonNegative) checkNonNegative(value(field), `status.${field}`, out);
  for (const [field, limit, detail] of atMost) if (value(field) > value(limit)) out.push(invalid(`status.${field}`, value(field), detail));
}

/** A collision count never goes back. */
export function checkCollisionCount(next: number | undefined, previous: number | undefined, out: FieldErrors): void {
  if (previous !== undefined && (next === undefined || next < previous))
    out.push(invalid('status.collisionCount', next ?? 0, 'cannot be decremented'));
}
