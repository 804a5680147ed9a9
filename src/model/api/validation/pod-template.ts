import type { PodSpec, PodTemplateSpec } from '../types.ts';
import { type FieldErrors, forbidden, invalid } from './field-errors.ts';
import { checkAnnotations, checkLabels, sortedKeys } from './labels.ts';
import { checkPodSpec } from './pod-spec.ts';

type Annotations = Readonly<Record<string, string>> | undefined;
const seccompContainerPrefix = 'container.seccomp.security.alpha.kubernetes.io/';
const seccompPodKey = 'seccomp.security.alpha.kubernetes.io/pod';
const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/';
export const mirrorKey = 'kubernetes.io/config.mirror';
const deletionCostKey = 'controller.kubernetes.io/pod-deletion-cost';

/** ValidatePodSpecificAnnotations, and the old annotations of seccomp and AppArmor. */
export function checkPodAnnotations(annotations: Annotations, spec: PodSpec, field: string, out: FieldErrors): void {
  if (annotations === undefined) return;
  const mirror = annotations[mirrorKey];
  if (mirror !== undefined && (spec.nodeName ?? '') === '') {
    out.push(invalid(`${field}[${mirrorKey}]`, mirror, 'must set spec.nodeName if mirror pod annotation is set'));
  }
  const cost = annotations[deletionCostKey];
  if (cost !== undefined && !isDeletionCost(cost)) out.push(invalid(`${field}[${deletionCostKey}]`, cost, 'must be a 32bit integer'));
  for (const key of sortedKeys(annotations)) {
    const value = annotations[key] ?? '';
    if (key === seccompPodKey || key.startsWith(seccompContainerPrefix)) checkSeccompAnnotation(value, `${field}.${key}`, out);
    if (!key.startsWith(appArmorPrefix)) continue;
    const name = key.slice(appArmorPrefix.length);
    const known = [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])].some(
      (c) => c.name === name,
    );
    if (!known) out.push(invalid(`${field}[${key}]`, name, 'container not found'));
    if (value !== '' && value !== 'runtime/default' && value !== 'unconfined' && !value.startsWith('localhost/')) {
      out.push(invalid(`${field}[${key}]`, value, `invalid AppArmor profile name: "${value}"`));
    }
  }
}

function isDeletionCost(text: string): boolean {
  if (!/^(-?[1-9][0-9]*|0)$/.test(text)) return false;
  const value = Number(text);
  return value >= -2_147_483_648 && value <= 2_147_483_647;
}

function checkSeccompAnnotation(profile: string, field: string, out: FieldErrors): void {
  if (profile === 'runtime/default' || profile === 'docker/default' || profile === 'unconfined') return;
  if (!profile.startsWith('localhost/')) out.push(invalid(field, profile, 'must be a valid seccomp profile'));
}

/** ValidatePodTemplateSpec. Upstream names the template's labels without `metadata`. */
export function checkPodTemplate(template: PodTemplateSpec, field: string, out: FieldErrors): void {
  const spec = template.spec ?? { containers: [] };
  checkLabels(template.metadata?.labels, `${field}.labels`, out);
  checkAnnotations(template.metadata?.annotations, `${field}.annotations`, out);
  checkPodAnnotations(template.metadata?.annotations, spec, `${field}.annotations`, out);
  checkPodSpec(spec, undefined, `${field}.spec`, out);
  if ((spec.ephemeralContainers ?? []).length > 0) {
    out.push(forbidden(`${field}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'));
  }
}

/** Templates known to be right: a workload's scale or status changes far more often than its template. */
const good = new WeakSet<PodTemplateSpec>();

/** checkPodTemplate, once per template object. */
export function checkPodTemplateOnce(template: PodTemplateSpec, field: string, out: FieldErrors): void {
  if (good.has(template)) return;
  const before = out.length;
  checkPodTemplate(template, field, out);
  if (out.length === before) good.add(template);
}
