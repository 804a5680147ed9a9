import type { FieldError } from '../../api/field-error.ts';
import type { UntypedObject } from '../../api/object.ts';
import { forbidden, invalid as invalidStatus } from '../../api/status.ts';
import type { CronJob, Deployment, Pod, PodSpec } from '../../api/types.ts';
import { invalid } from '../../api/validation/field-errors.ts';
import type { Task } from '../../../sim/task.ts';
import { refuse } from '../refusal.ts';
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../server-context.ts';
import { cachedAll, cachedOne, kindNamed } from './lookup.ts';
import { type Level, violationsOf, violationText } from './pod-security-checks.ts';
import { equalJson } from '../../api/equal.ts';

const prefix = 'pod-security.kubernetes.io/';
const modes = ['enforce', 'audit', 'warn'] as const;
const levels: readonly string[] = ['privileged', 'baseline', 'restricted'];
const workloads: ReadonlySet<string> = new Set([
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'DaemonSet',
  'ReplicationController',
  'Job',
  'CronJob',
  'PodTemplate',
]);

interface Policy {
  readonly level: Level;
  readonly version: string;
}

type Labels = Readonly<Record<string, string>> | undefined;

function policyOf(labels: Labels, mode: (typeof modes)[number]): Policy {
  const level = labels?.[prefix + mode] ?? 'privileged';
  const version = labels?.[`${prefix}${mode}-version`] ?? 'latest';
  return { level: (levels.includes(level) ? level : 'restricted') as Level, version };
}

/** PodSecurity: the standards that a namespace's labels name (KEP-2579). All versions are judged by today's rules. */
export const podSecurity: AdmissionPlugin = {
  name: 'PodSecurity',
  handles: ({ kind, operation, subresource }) =>
    (operation === 'CREATE' || operation === 'UPDATE') &&
    ((kind.kind === 'Pod' && (subresource === '' || subresource === 'ephemeralcontainers')) ||
      (subresource === '' && (kind.kind === 'Namespace' || workloads.has(kind.kind)))),
  *validate(request, server) {
    switch (request.kind.kind) {
      case 'Namespace':
        return yield* checkNamespace(request, server);
      case 'Pod':
        return yield* checkPod(request, server);
      default: {
        const spec = templateOf(request);
        if (spec !== undefined) yield* warnOf(request, server, spec);
      }
    }
  },
};

function templateOf({ kind, object }: AdmissionRequest): PodSpec | undefined {
  if (kind.kind === 'CronJob') return (object as unknown as CronJob | undefined)?.spec.jobTemplate.spec?.template.spec;
  if (kind.kind === 'PodTemplate')
    return (object as unknown as { readonly template?: { readonly spec?: PodSpec } } | undefined)?.template?.spec;
  return (object as unknown as Deployment | undefined)?.spec.template?.spec;
}

function* labelsOf(request: AdmissionRequest, server: ServerContext): Task<Labels> {
  const namespace: UntypedObject | undefined = yield* cachedOne(server, kindNamed(server, '', 'v1', 'namespaces'), '', request.namespace);
  return namespace?.metadata.labels;
}

function* checkPod(request: AdmissionRequest, server: ServerContext): Task<void> {
  const pod = request.object as unknown as Pod | undefined;
  const old = request.oldObject as unknown as Pod | undefined;
  if (pod === undefined || (old !== undefined && equalJson(old.spec, pod.spec))) return;
  const labels = yield* labelsOf(request, server);
  const { level, version } = policyOf(labels, 'enforce');
  const found = violationsOf(level, pod.spec);
  if (found.length > 0)
    refuse(forbidden(request.kind, request.name, `violates PodSecurity "${level}:${version}": ${violationText(found)}`));
  warn(request, policyOf(labels, 'warn'), pod.spec);
}

/** Workloads are let through, with a warning of what their pods would violate. */
function* warnOf(request: AdmissionRequest, server: ServerContext, spec: PodSpec): Task<void> {
  const labels = yield* labelsOf(request, server);
  const enforce = policyOf(labels, 'enforce');
  const wanted = policyOf(labels, 'warn');
  // Without a level of its own, warning follows enforcement.
  warn(request, labels?.[`${prefix}warn`] === undefined ? enforce : wanted, spec);
}

function warn(request: AdmissionRequest, policy: Policy, spec: PodSpec): void {
  const found = violationsOf(policy.level, spec);
  if (found.length > 0) request.warn(`would violate PodSecurity "${policy.level}:${policy.version}": ${violationText(found)}`);
}

function* checkNamespace(request: AdmissionRequest, server: ServerContext): Task<void> {
  const labels = request.object?.metadata.labels;
  const errors: FieldError[] = [];
  for (const mode of modes) {
    const level = labels?.[prefix + mode];
    const version = labels?.[`${prefix}${mode}-version`];
    if (level !== undefined && !levels.includes(level))
      errors.push(invalid(`metadata.labels[${prefix}${mode}]`, level, `must be one of ${levels.join(', ')}`));
    if (version !== undefined && version !== 'latest' && !/^v1\.(0|[1-9][0-9]*)$/.test(version))
      errors.push(invalid(`metadata.labels[${prefix}${mode}-version]`, version, 'must be "latest" or "v1.x"'));
  }
  if (errors.length > 0) refuse(invalidStatus(request.kind, request.name, errors));
  if (request.operation !== 'UPDATE') return;
  const before = policyOf(request.oldObject?.metadata.labels, 'enforce');
  const now = policyOf(labels, 'enforce');
  if (levels.indexOf(now.level) <= levels.indexOf(before.level)) return;
  const pods = (yield* cachedAll(server, kindNamed(server, '', 'v1', 'pods'), request.name)) as unknown as readonly Pod[];
  const byText = new Map<string, string[]>();
  for (const pod of pods) {
    const text = violationsOf(now.level, pod.spec)
      .map(({ reason }) => reason)
      .join(', ');
    if (text !== '') byText.set(text, [...(byText.get(text) ?? []), pod.metadata.name ?? '']);
  }
  if (byText.size === 0) return;
  request.warn(
    `existing pods in namespace ${JSON.stringify(request.name)} violate the new PodSecurity enforce level "${now.level}:${now.version}"`,
  );
  const lines = [...byText].map(([text, names]) => {
    const others = names.length - 1;
    return `${names[0]}${others === 0 ? '' : ` (and ${others} other ${others === 1 ? 'pod' : 'pods'})`}: ${text}`;
  });
  for (const line of lines.sort()) request.warn(line);
}
