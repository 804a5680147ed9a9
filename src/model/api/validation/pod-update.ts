import type { NodeAffinity, NodeSelectorTerm, Pod, PodSpec } from '../types.ts';
import { type FieldErrors, forbidden, goMap, invalid, required } from './field-errors.ts';
import { sameValue } from './immutable.ts';
import { sortedKeys } from './labels.ts';
import { isDns1123Subdomain, isQualifiedName } from './names.ts';
import { int32Max, rangeMessage } from './numbers.ts';
import { checkImageIsTrimmed } from './containers.ts';
import { mirrorKey } from './pod-template.ts';
import { checkTolerations } from './scheduling.ts';
import { checkIp } from './ip.ts';

/** What may change in a pod once it exists. Upstream: ValidatePodUpdate and ValidatePodStatusUpdate of pkg/apis/core/validation. */

const updatable =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

/** The part of an update's check that comes after the new pod as such has been found right. */
export function checkPodSpecUpdate(next: PodSpec, previous: PodSpec, out: FieldErrors): void {
  if (next === previous) return;
  for (const list of ['containers', 'initContainers'] as const)
    if (!checkImages(next[list] ?? [], previous[list] ?? [], `spec.${list}`, out)) return;
  if (!checkDeadline(next.activeDeadlineSeconds, previous.activeDeadlineSeconds, out)) return;
  checkAddedTolerations(next, previous, out);
  checkRemovedGates(next, previous, out);
  if (sameValue(next, previous)) return;
  const munged = munge(next, previous, out);
  if (sameValue(munged, previous)) return;
  out.push(forbidden('spec', `${updatable}\n${changedFields(munged, previous)}`));
}

/** Upstream appends a diff of Go structs here; we name the fields. */
function changedFields(next: PodSpec, previous: PodSpec): string {
  const keys = new Set([...Object.keys(next), ...Object.keys(previous)]);
  return [...keys]
    .sort()
    .filter((key) => !sameValue(next[key as keyof PodSpec], previous[key as keyof PodSpec]))
    .join('\n');
}

/** ValidateContainerUpdates. False: stop here. */
function checkImages(
  next: NonNullable<PodSpec['containers']>,
  previous: NonNullable<PodSpec['containers']>,
  field: string,
  out: FieldErrors,
): boolean {
  if (next.length !== previous.length) {
    out.push(forbidden(field, 'pod updates may not add or remove containers'));
    return false;
  }
  for (let i = 0; i < next.length; i++) {
    const image = next[i]?.image;
    if ((image ?? '') === '') out.push(required(`${field}[${i}].image`));
    checkImageIsTrimmed(image, `${field}[${i}]`, out);
  }
  return true;
}

function checkDeadline(next: number | undefined, previous: number | undefined, out: FieldErrors): boolean {
  const field = 'spec.activeDeadlineSeconds';
  if (next === undefined) {
    if (previous !== undefined) out.push(invalid(field, null, 'must not update from a positive integer to nil value'));
    return true;
  }
  if (next < 0 || next > int32Max) out.push(invalid(field, next, rangeMessage(0, int32Max)));
  else if (previous !== undefined && previous < next) out.push(invalid(field, next, 'must be less than or equal to previous value'));
  else return true;
  return false;
}

/** validateOnlyAddedTolerations. */
function checkAddedTolerations(next: PodSpec, previous: PodSpec, out: FieldErrors): void {
  if (next.tolerations === previous.tolerations) return;
  for (const old of previous.tolerations ?? []) {
    const kept = (next.tolerations ?? []).some((t) => {
      const { tolerationSeconds: _, ...before } = old;
      const { tolerationSeconds: __, ...after } = t;
      return sameValue(before, after);
    });
    if (!kept) return void out.push(forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'));
  }
  checkTolerations(next.tolerations, 'spec.tolerations', out);
}

/** validateOnlyDeletedSchedulingGates. */
function checkRemovedGates(next: PodSpec, previous: PodSpec, out: FieldErrors): void {
  const known = (previous.schedulingGates ?? []).map((g) => g.name);
  for (const [i, gate] of (next.schedulingGates ?? []).entries()) {
    if (!known.includes(gate.name))
      out.push(forbidden(`spec.schedulingGates[${i}].name`, `only deletion is allowed, but found new scheduling gate '${gate.name}'`));
  }
}

/** The new spec with everything that may change put back; gated pods may also gain node constraints. */
function munge(next: PodSpec, previous: PodSpec, out: FieldErrors): PodSpec {
  const withImagesOf = <K extends 'containers' | 'initContainers'>(list: K): PodSpec[K] =>
    next[list]?.map((container, i) => {
      const { image: _, ...rest } = container;
      const image = previous[list]?.[i]?.image;
      return image === undefined ? rest : { ...rest, image };
    }) as PodSpec[K];
  const { activeDeadlineSeconds: _, schedulingGates: __, tolerations: ___, ...kept } = next;
  const { activeDeadlineSeconds, schedulingGates, tolerations } = previous;
  let munged: PodSpec = {
    ...kept,
    containers: withImagesOf('containers') ?? [],
    ...(next.initContainers === undefined ? {} : { initContainers: withImagesOf('initContainers') ?? [] }),
    ...(activeDeadlineSeconds === undefined ? {} : { activeDeadlineSeconds }),
    ...(schedulingGates === undefined ? {} : { schedulingGates }),
    ...(tolerations === undefined ? {} : { tolerations }),
  };
  const grace = previous.terminationGracePeriodSeconds;
  if (grace !== undefined && grace < 0 && munged.terminationGracePeriodSeconds === 1)
    munged = { ...munged, terminationGracePeriodSeconds: grace };
  return (previous.schedulingGates ?? []).length > 0 ? mungeGated(munged, previous, out) : munged;
}

function mungeGated(given: PodSpec, previous: PodSpec, out: FieldErrors): PodSpec {
  let munged = given;
  if (!sameValue(munged.nodeSelector, previous.nodeSelector)) {
    const before = previous.nodeSelector ?? {};
    if (Object.keys(before).some((key) => munged.nodeSelector?.[key] !== before[key])) {
      out.push(
        invalid(
          'spec.nodeSelector',
          goMap(munged.nodeSelector),
          'only additions to spec.nodeSelector are allowed (no mutations or deletions)',
        ),
      );
    }
    const { nodeSelector: _, ...rest } = munged;
    munged = previous.nodeSelector === undefined ? rest : { ...rest, nodeSelector: previous.nodeSelector };
  }
  const before = previous.affinity?.nodeAffinity;
  const after = munged.affinity?.nodeAffinity;
  if (sameValue(before, after)) return munged;
  checkNodeAffinityMutation(after, before, out);
  const { affinity, ...rest } = munged;
  const { nodeAffinity: _, ...others } = affinity ?? {};
  const restored = before === undefined ? others : { ...others, nodeAffinity: before };
  return previous.affinity === undefined && Object.keys(restored).length === 0 ? rest : { ...rest, affinity: restored };
}

/** validateNodeAffinityMutation. */
function checkNodeAffinityMutation(next: NodeAffinity | undefined, previous: NodeAffinity | undefined, out: FieldErrors): void {
  const key = 'requiredDuringSchedulingIgnoredDuringExecution';
  const before = previous?.[key]?.nodeSelectorTerms;
  if (before === undefined) return;
  const after = next?.[key]?.nodeSelectorTerms ?? [];
  const field = `spec.affinity.nodeAffinity.${key}.nodeSelectorTerms`;
  if (before.length > 0 && before.length !== after.length) {
    return void out.push(invalid(field, after.map(goTerm), 'no additions/deletions to non-empty NodeSelectorTerms list are allowed'));
  }
  for (const [i, old] of before.entries()) {
    const term = after[i];
    if (term !== undefined && !onlyAdds(term, old))
      out.push(invalid(`${field}[${i}]`, goTerm(term), 'only additions are allowed (no mutations or deletions)'));
  }
}

function onlyAdds(next: NodeSelectorTerm, previous: NodeSelectorTerm): boolean {
  const { matchExpressions: expressions = [], matchFields: fields = [] } = previous;
  const { matchExpressions = [], matchFields = [] } = next;
  if (expressions.length === 0 && fields.length === 0 && (matchExpressions.length > 0 || matchFields.length > 0)) return false;
  return sameValue(matchExpressions.slice(0, expressions.length), expressions) && sameValue(matchFields.slice(0, fields.length), fields);
}

/** core.NodeSelectorTerm as encoding/json prints it. */
export function goTerm(term: NodeSelectorTerm): unknown {
  const requirements = (list: NodeSelectorTerm['matchExpressions']): unknown =>
    list === undefined || list.length === 0 ? null : list.map((r) => ({ Key: r.key, Operator: r.operator, Values: r.values ?? null }));
  return { MatchExpressions: requirements(term.matchExpressions), MatchFields: requirements(term.matchFields) };
}

/** ValidatePodSpecificAnnotationUpdates, but for what pods' annotations are checked for anyway. */
export function checkPodAnnotationUpdates(next: Pod, previous: Pod, out: FieldErrors): void {
  const after = next.metadata.annotations;
  const before = previous.metadata.annotations;
  if (after === before) return;
  const special = (key: string): string | undefined =>
    key.startsWith('container.apparmor.security.beta.kubernetes.io/')
      ? 'AppArmor annotations'
      : key === mirrorKey
        ? 'mirror pod annotation'
        : undefined;
  for (const key of sortedKeys(before ?? {})) {
    const what = special(key);
    if (what !== undefined && after?.[key] !== before?.[key])
      out.push(forbidden(`metadata.annotations[${key}]`, `may not remove or update ${what}`));
  }
  for (const key of sortedKeys(after ?? {})) {
    const what = special(key);
    if (what !== undefined && before?.[key] === undefined) out.push(forbidden(`metadata.annotations[${key}]`, `may not add ${what}`));
  }
}

const systemConditions = new Set([
  'PodScheduled',
  'Ready',
  'Initialized',
  'ContainersReady',
  'PodReadyToStartContainers',
  'DisruptionTarget',
]);
type Status = NonNullable<Pod['status']>;

/** ValidatePodStatusUpdate after the metadata. */
export function checkPodStatus(next: Pod, previous: Pod, out: FieldErrors): void {
  const status = next.status;
  const old = previous.status;
  if (status === undefined || status === old) return;
  for (const [i, condition] of (status.conditions ?? []).entries()) {
    const type: string = condition.type ?? '';
    if (!systemConditions.has(type))
      for (const message of isQualifiedName(type)) out.push(invalid(`metadata.conditions[${i}].Type`, type, message));
  }
  const nominated = status.nominatedNodeName;
  if (nominated !== undefined && nominated !== '' && nominated !== old?.nominatedNodeName) {
    for (const message of isDns1123Subdomain(nominated)) out.push(invalid('status.nominatedNodeName', nominated, message));
  }
  if (status.qosClass !== old?.qosClass) out.push(invalid('status.qosClass', status.qosClass ?? '', 'field is immutable'));
  const policy = previous.spec?.restartPolicy;
  // A container's own restart policy or rules outrank the pod's (KEP-5307).
  const hasOwnPolicy = (name: string): boolean =>
    (previous.spec?.containers ?? []).some(
      (c) => c.name === name && ((c.restartPolicy !== undefined && c.restartPolicy !== 'Never') || (c.restartPolicyRules?.length ?? 0) > 0),
    );
  checkTransitions(status.containerStatuses, old?.containerStatuses, 'status.containerStatuses', policy, hasOwnPolicy, out);
  const isSidecar = (name: string): boolean =>
    (previous.spec?.initContainers ?? []).some((c) => c.name === name && c.restartPolicy === 'Always');
  checkTransitions(status.initContainerStatuses, old?.initContainerStatuses, 'status.initContainerStatuses', policy, isSidecar, out);
  checkTransitions(
    status.ephemeralContainerStatuses,
    old?.ephemeralContainerStatuses,
    'status.ephemeralContainerStatuses',
    'Never',
    () => false,
    out,
  );
  checkIps(status.podIPs, 'status.podIPs', out);
  const hostIps = status.hostIPs ?? [];
  if (hostIps.length > 0) {
    if (hostIps[0]?.ip !== status.hostIP) out.push(invalid('status.hostIPs[0].ip', hostIps[0]?.ip, 'must be equal to `hostIP`'));
    checkIps(hostIps, 'status.hostIPs', out);
  }
}

function checkIps(ips: Status['podIPs'], field: string, out: FieldErrors): void {
  if (ips === undefined) return;
  for (let i = 0; i < ips.length; i++) checkIp(ips[i]?.ip ?? '', `${field}[${i}]`, out);
  if (ips.length > 1) {
    const v6 = ips.filter(({ ip }) => ip.includes(':')).length;
    if (ips.length > 2 || v6 !== 1)
      out.push(
        invalid(
          field,
          ips.map(({ ip }) => ({ IP: ip })),
          'may specify no more than one IP for each IP family',
        ),
      );
  }
}

/** ValidateContainerStateTransition: what has ended for good stays ended. */
function checkTransitions(
  next: Status['containerStatuses'],
  previous: Status['containerStatuses'],
  field: string,
  policy: string | undefined,
  mayRestart: (name: string) => boolean,
  out: FieldErrors,
): void {
  if (policy === 'Always' || previous === undefined) return;
  for (const [i, old] of previous.entries()) {
    const ended = old.state?.terminated;
    if (ended === undefined || (ended.exitCode !== 0 && policy === 'OnFailure') || mayRestart(old.name)) continue;
    for (const status of next ?? []) {
      if (status.name === old.name && status.state?.terminated === undefined) {
        out.push(forbidden(`${field}[${i}].state`, 'may not be transitioned to non-terminated state'));
      }
    }
  }
}
