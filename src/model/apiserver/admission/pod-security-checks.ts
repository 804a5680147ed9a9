import { SAFE_SYSCTLS } from '../../api/safe-sysctls.ts';
import type { Container, PodSpec, Volume } from '../../api/types.ts';

/** One thing that a pod security standard forbids and a pod does: upstream `k8s.io/pod-security-admission/policy`. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

export type Level = 'privileged' | 'baseline' | 'restricted';

interface Subject {
  readonly spec: PodSpec;
  readonly containers: readonly Container[];
  /** A pod with a user namespace of its own may do more (UserNamespacesPodSecurityStandards). */
  readonly relaxed: boolean;
}

type Check = (subject: Subject) => Violation | undefined;

const quote = (texts: readonly string[]): string => texts.map((text) => JSON.stringify(text)).join(', ');
const containersText = (names: readonly string[]): string => `${names.length === 1 ? 'container' : 'containers'} ${quote(names)}`;

function named(subject: Subject, isBad: (container: Container) => boolean): readonly string[] {
  return subject.containers.filter(isBad).map((container) => container.name);
}

function byContainers(reason: string, isBad: (container: Container) => boolean, must: string): Check {
  return (subject) => {
    const names = named(subject, isBad);
    return names.length === 0 ? undefined : { reason, detail: `${containersText(names)} ${must}` };
  };
}

const defaultCapabilities = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);

/** 'container "a" must not include "X" in securityContext.capabilities.add', over all containers that add anything else. */
function addedBeyond(subject: Subject, allowed: ReadonlySet<string>): string | undefined {
  const names: string[] = [];
  const added = new Set<string>();
  for (const container of subject.containers) {
    const bad = (container.securityContext?.capabilities?.add ?? []).filter((capability) => !allowed.has(capability));
    if (bad.length === 0) continue;
    names.push(container.name);
    for (const capability of bad) added.add(capability);
  }
  return names.length === 0
    ? undefined
    : `${containersText(names)} must not include ${quote([...added].sort())} in securityContext.capabilities.add`;
}

const hostNamespaces: Check = ({ spec }) => {
  const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((key) => spec[key] === true).map((key) => `${key}=true`);
  return used.length === 0 ? undefined : { reason: 'host namespaces', detail: used.join(', ') };
};

const hostPaths: Check = ({ spec }) => {
  const names = (spec.volumes ?? []).filter((volume) => volume.hostPath !== undefined).map((volume) => volume.name);
  return names.length === 0
    ? undefined
    : { reason: 'hostPath volumes', detail: `${names.length === 1 ? 'volume' : 'volumes'} ${quote(names)}` };
};

const hostPorts: Check = (subject) => {
  const uses = (container: Container): readonly number[] =>
    (container.ports ?? []).map((port) => port.hostPort ?? 0).filter((port) => port > 0);
  const names = named(subject, (container) => uses(container).length > 0);
  if (names.length === 0) return undefined;
  const ports = [...new Set(subject.containers.flatMap(uses))].map(String).sort();
  return {
    reason: 'hostPort',
    detail: `${containersText(names)} ${names.length === 1 ? 'uses' : 'use'} ${ports.length === 1 ? 'hostPort' : 'hostPorts'} ${ports.join(', ')}`,
  };
};

const sysctls: Check = ({ spec }) => {
  const names = (spec.securityContext?.sysctls ?? []).map((sysctl) => sysctl.name).filter((name) => !SAFE_SYSCTLS.has(name));
  return names.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: names.join(', ') };
};

const allowedSelinuxTypes = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t']);

const selinux: Check = (subject) => {
  const bad = (options: { readonly type?: string; readonly user?: string; readonly role?: string } | undefined): boolean =>
    options !== undefined && (!allowedSelinuxTypes.has(options.type ?? '') || (options.user ?? '') !== '' || (options.role ?? '') !== '');
  const names = named(subject, (container) => bad(container.securityContext?.seLinuxOptions));
  const setters: string[] = [];
  if (bad(subject.spec.securityContext?.seLinuxOptions)) setters.push('pod');
  if (names.length > 0) setters.push(containersText(names));
  return setters.length === 0
    ? undefined
    : { reason: 'seLinuxOptions', detail: `${setters.join(' and ')} set forbidden securityContext.seLinuxOptions` };
};

const unmasked = (container: Container): boolean => (container.securityContext?.procMount ?? 'Default') !== 'Default';
const procMount: Check = byContainers('procMount', unmasked, 'must not set securityContext.procMount to "Unmasked"');

function seccompSetters(subject: Subject): string | undefined {
  const isBad = (type: string | undefined): boolean => type === 'Unconfined';
  const setters: string[] = [];
  if (isBad(subject.spec.securityContext?.seccompProfile?.type)) setters.push('pod');
  const names = named(subject, (container) => isBad(container.securityContext?.seccompProfile?.type));
  if (names.length > 0) setters.push(containersText(names));
  return setters.length === 0 ? undefined : `${setters.join(' and ')} must not set securityContext.seccompProfile.type to "Unconfined"`;
}

const seccompBaseline: Check = (subject) => {
  const detail = seccompSetters(subject);
  return detail === undefined ? undefined : { reason: 'seccompProfile', detail };
};

const seccompRestricted: Check = (subject) => {
  const explicit = seccompSetters(subject);
  if (explicit !== undefined) return { reason: 'seccompProfile', detail: explicit };
  if (subject.spec.securityContext?.seccompProfile?.type !== undefined) return undefined;
  const names = named(subject, (container) => container.securityContext?.seccompProfile?.type === undefined);
  if (names.length === 0) return undefined;
  return {
    reason: 'seccompProfile',
    detail: `pod or ${containersText(names)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  };
};

const capabilitiesBaseline: Check = (subject) => {
  const detail = addedBeyond(subject, defaultCapabilities);
  return detail === undefined ? undefined : { reason: 'non-default capabilities', detail };
};

const capabilitiesRestricted: Check = (subject) => {
  const names = named(subject, (container) => !(container.securityContext?.capabilities?.drop ?? []).includes('ALL'));
  const added = addedBeyond(subject, new Set(['NET_BIND_SERVICE']));
  const details = [
    ...(names.length > 0 ? [`${containersText(names)} must set securityContext.capabilities.drop=["ALL"]`] : []),
    ...(added === undefined ? [] : [added]),
  ];
  return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') };
};

const restrictedVolumeSources: ReadonlySet<string> = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
  'image',
]);

const volumeTypes: Check = ({ spec }) => {
  const names: string[] = [];
  const types = new Set<string>();
  for (const volume of spec.volumes ?? []) {
    const source = Object.keys(volume as Volume).find((key) => key !== 'name' && !restrictedVolumeSources.has(key));
    if (source === undefined) continue;
    names.push(volume.name);
    types.add(source);
  }
  if (names.length === 0) return undefined;
  const what = types.size === 1 ? 'restricted volume type' : 'restricted volume types';
  return {
    reason: 'restricted volume types',
    detail: `${names.length === 1 ? 'volume' : 'volumes'} ${quote(names)} ${names.length === 1 ? 'uses' : 'use'} ${what} ${quote([...types].sort())}`,
  };
};

const runAsNonRoot: Check = (subject) => {
  if (subject.relaxed) return undefined;
  const pod = subject.spec.securityContext?.runAsNonRoot;
  const explicit = named(subject, (container) => container.securityContext?.runAsNonRoot === false);
  const setters = [...(pod === false ? ['pod'] : []), ...(explicit.length > 0 ? [containersText(explicit)] : [])];
  if (setters.length > 0 && (pod === false || explicit.length > 0))
    return { reason: 'runAsNonRoot != true', detail: `${setters.join(' and ')} must not set securityContext.runAsNonRoot=false` };
  if (pod === true) return undefined;
  const names = named(subject, (container) => container.securityContext?.runAsNonRoot === undefined);
  return names.length === 0
    ? undefined
    : { reason: 'runAsNonRoot != true', detail: `pod or ${containersText(names)} must set securityContext.runAsNonRoot=true` };
};

const runAsUser: Check = (subject) => {
  if (subject.relaxed) return undefined;
  const names = named(subject, (container) => container.securityContext?.runAsUser === 0);
  const setters = [...(subject.spec.securityContext?.runAsUser === 0 ? ['pod'] : []), ...(names.length > 0 ? [containersText(names)] : [])];
  return setters.length === 0 ? undefined : { reason: 'runAsUser=0', detail: `${setters.join(' and ')} must not set runAsUser=0` };
};

const privileged: Check = byContainers(
  'privileged',
  (container) => container.securityContext?.privileged === true,
  'must not set securityContext.privileged=true',
);
const escalation: Check = byContainers(
  'allowPrivilegeEscalation != false',
  (container) => container.securityContext?.allowPrivilegeEscalation !== false,
  'must set securityContext.allowPrivilegeEscalation=false',
);
const baselineProcMount: Check = (subject) => (subject.relaxed ? undefined : procMount(subject));

/** In upstream's order of their ids. */
const baseline: readonly Check[] = [
  capabilitiesBaseline,
  hostNamespaces,
  hostPaths,
  hostPorts,
  privileged,
  baselineProcMount,
  selinux,
  seccompBaseline,
  sysctls,
];
/** Checks of the baseline that no stricter one replaces, then those of the restricted level. */
const restricted: readonly Check[] = [
  hostNamespaces,
  hostPorts,
  privileged,
  selinux,
  sysctls,
  escalation,
  capabilitiesRestricted,
  procMount,
  volumeTypes,
  runAsNonRoot,
  runAsUser,
  seccompRestricted,
];

/** What in a pod a level forbids. */
export function violationsOf(level: Level, spec: PodSpec): readonly Violation[] {
  if (level === 'privileged') return [];
  const containers = [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...((spec.ephemeralContainers ?? []) as unknown as readonly Container[]),
  ];
  const subject: Subject = { spec, containers, relaxed: spec.hostUsers === false };
  return (level === 'baseline' ? baseline : restricted).map((check) => check(subject)).filter((found) => found !== undefined);
}

/** 'reason (detail), reason (detail)'. */
export function violationText(violations: readonly Violation[]): string {
  return violations.map(({ reason, detail }) => `${reason} (${detail})`).join(', ');
}
