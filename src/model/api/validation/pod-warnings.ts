import type { ObjectMeta } from '../object.ts';
import type { Container, PodSpec } from '../types.ts';

/**
 * What the server warns of in pods and pod templates without refusing it.
 * Upstream: warningsForPodSpecAndMeta of pkg/api/pod/warnings.go.
 */

const labelReplacements: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
  'node-role.kubernetes.io/master': 'use "node-role.kubernetes.io/control-plane" instead',
};

export function podWarnings(
  spec: PodSpec,
  meta: ObjectMeta | undefined,
  field: string,
  oldSpec: PodSpec | undefined,
  oldMeta: ObjectMeta | undefined,
): readonly string[] {
  if (spec === oldSpec && meta?.annotations === oldMeta?.annotations) return none;
  const out: string[] = [];
  warnOfLabels(spec, field, out);
  if (meta?.annotations !== undefined)
    warnOfAnnotations(
      spec,
      meta.annotations,
      field.endsWith('spec') ? `${field.slice(0, -4)}metadata.annotations` : 'metadata.annotations',
      out,
    );
  for (const [i, alias] of (spec.hostAliases ?? []).entries())
    if (nonCanonicalIp(alias.ip)) out.push(ipWarning(`${field}.hostAliases[${i}].ip`, alias.ip));
  warnOfVolumes(spec, field, out);
  for (const [i, ref] of (spec.imagePullSecrets ?? []).entries()) {
    if ((ref.name ?? '') === '') out.push(`${field}.imagePullSecrets[${i}].name: invalid empty name ""`);
    else if ((spec.imagePullSecrets ?? []).findIndex((r) => r.name === ref.name) < i) {
      out.push(`${field}.imagePullSecrets: duplicate name "${ref.name}"`);
    }
  }
  if (spec.terminationGracePeriodSeconds !== undefined && spec.terminationGracePeriodSeconds < 0) {
    out.push(`${field}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`);
  }
  for (const list of ['initContainers', 'containers'] as const) {
    for (const [i, container] of (spec[list] ?? []).entries()) warnOfContainer(container, `${field}.${list}[${i}]`, out);
  }
  warnOfPorts(spec, field, out);
  return out;
}

const none: readonly string[] = [];

function warnOfLabels(spec: PodSpec, field: string, out: string[]): void {
  for (const key of Object.keys(spec.nodeSelector ?? {}).sort()) {
    const text = labelReplacements[key];
    if (text !== undefined) out.push(`${field}.nodeSelector[${key}]: ${text}`);
  }
  const affinity = spec.affinity?.nodeAffinity;
  const must = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const base = `${field}.affinity.nodeAffinity`;
  for (const [i, term] of must.entries()) {
    for (const [j, { key }] of (term.matchExpressions ?? []).entries()) {
      const text = labelReplacements[key];
      if (text !== undefined)
        out.push(
          `${base}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${i}].matchExpressions[${j}].key: ${key} is ${text}`,
        );
    }
  }
  for (const [i, term] of (affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
    for (const [j, { key }] of (term.preference.matchExpressions ?? []).entries()) {
      const text = labelReplacements[key];
      if (text !== undefined)
        out.push(`${base}.preferredDuringSchedulingIgnoredDuringExecution[${i}].preference.matchExpressions[${j}].key: ${key} is ${text}`);
    }
  }
  for (const [i, constraint] of (spec.topologySpreadConstraints ?? []).entries()) {
    const text = labelReplacements[constraint.topologyKey];
    if (text !== undefined) out.push(`${field}.topologySpreadConstraints[${i}].topologyKey: ${constraint.topologyKey} is ${text}`);
    if (constraint.labelSelector === undefined || Object.keys(constraint.labelSelector).length === 0) {
      out.push(`${field}.topologySpreadConstraints[${i}].labelSelector: a null labelSelector results in matching no pod`);
    }
  }
}

function warnOfAnnotations(spec: PodSpec, annotations: Readonly<Record<string, string>>, field: string, out: string[]): void {
  const apparmor = 'container.apparmor.security.beta.kubernetes.io/';
  const seccomp = 'container.seccomp.security.alpha.kubernetes.io/';
  if (annotations['seccomp.security.alpha.kubernetes.io/pod'] !== undefined && spec.securityContext?.seccompProfile === undefined) {
    out.push(`${field}[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "seccompProfile" field instead`);
  }
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    if (annotations[seccomp + container.name] !== undefined && container.securityContext?.seccompProfile === undefined) {
      out.push(`${field}[${seccomp}${container.name}]: non-functional in v1.27+; use the "seccompProfile" field instead`);
    }
    // Pods are warned of when the annotation is copied into the field.
    if (field !== 'metadata.annotations' && annotations[apparmor + container.name] !== undefined) {
      const hasField = container.securityContext?.appArmorProfile !== undefined || spec.securityContext?.appArmorProfile !== undefined;
      if (!hasField) out.push(`${field}[${apparmor}${container.name}]: deprecated since v1.30; use the "appArmorProfile" field instead`);
    }
  }
  if (annotations['pods.beta.kubernetes.io/hostname'] !== undefined)
    out.push(`${field}[pods.beta.kubernetes.io/hostname]: non-functional in v1.32+; use the "hostname" field instead`);
  if (annotations['scheduler.alpha.kubernetes.io/critical-pod'] !== undefined) {
    out.push(`${field}[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the "priorityClassName" field instead`);
  }
}

const removedSources: Readonly<Record<string, string>> = {
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  glusterfs: 'deprecated in v1.25, non-functional in v1.26+',
  photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
  flexVolume: 'deprecated in v1.23; use CSI drivers instead',
  gitRepo: 'deprecated in v1.11, and disabled by default in v1.33+',
};

function warnOfVolumes(spec: PodSpec, field: string, out: string[]): void {
  for (const [i, volume] of (spec.volumes ?? []).entries()) {
    for (const [key, text] of Object.entries(removedSources)) {
      if (volume[key as keyof typeof volume] !== undefined) out.push(`${field}.volumes[${i}].${key}: ${text}`);
    }
    if (volume.ephemeral?.volumeClaimTemplate?.spec?.resources?.requests?.['storage']?.endsWith('m') === true) {
      const size = volume.ephemeral.volumeClaimTemplate.spec.resources.requests['storage'];
      out.push(
        `${field}.volumes[${i}].ephemeral.volumeClaimTemplate.spec.resources.requests[storage]: fractional byte value "${size}" is invalid, must be an integer`,
      );
    }
  }
}

function warnOfContainer(container: Container, field: string, out: string[]): void {
  for (const kind of ['limits', 'requests'] as const) {
    const list = container.resources?.[kind] ?? {};
    for (const name of ['memory', 'ephemeral-storage']) {
      if (list[name]?.endsWith('m') === true)
        out.push(`${field}.resources.${kind}[${name}]: fractional byte value "${list[name]}" is invalid, must be an integer`);
    }
  }
  if (container.env === undefined || container.env.length < 2) return;
  const seen = new Map<string, string>();
  for (const [i, variable] of container.env.entries()) {
    const value = variable.value;
    const before = seen.get(variable.name);
    if (before !== undefined) {
      if (value?.includes(`$(${variable.name})`) === true) {
        seen.set(variable.name, variable.name);
        continue;
      }
      out.push(`${field}.env[${i}]: hides previous definition of "${variable.name}", which may be dropped when using apply`);
    }
    seen.set(variable.name, variable.name);
  }
}

/** A list that was never given may also be null, as Go prints it. */
function portCount(containers: readonly Container[] | null | undefined): number {
  if (containers === undefined || containers === null) return 0;
  let count = 0;
  for (let i = 0; i < containers.length; i++) count += containers[i]?.ports?.length ?? 0;
  return count;
}

function warnOfPorts(spec: PodSpec, field: string, out: string[]): void {
  if (portCount(spec.initContainers) + portCount(spec.containers) < 2) return;
  interface Seen {
    readonly field: string;
    readonly hostPort: number;
    readonly hostIp: string;
  }
  const seen = new Map<string, Seen[]>();
  const lists = [
    ['initContainers', (spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')],
    ['containers', spec.containers ?? []],
  ] as const;
  for (const [list, containers] of lists) {
    for (const container of containers) {
      const index = (spec[list] ?? []).indexOf(container);
      for (const [i, port] of (container.ports ?? []).entries()) {
        const path = `${field}.${list}[${index}].ports[${i}]`;
        const key = `${port.protocol}/${port.containerPort}`;
        const hostPort = port.hostPort ?? 0;
        const hostIp = port.hostIP ?? '';
        const known = seen.get(key) ?? [];
        const clash = known.find((k) => k.hostPort === hostPort && (k.hostIp === hostIp || k.hostIp === '' || hostIp === ''));
        if (clash !== undefined) {
          const exact = clash.hostIp === hostIp;
          out.push(
            exact ? `${path}: duplicate port definition with ${clash.field}` : `${path}: overlapping port definition with ${clash.field}`,
          );
        }
        seen.set(key, [...known, { field: path, hostPort, hostIp }]);
      }
    }
  }
}

/** Leading zeros in IPv4: accepted for now. */
export function nonCanonicalIp(ip: string | undefined): boolean {
  return ip !== undefined && /(^|\.)0\d/.test(ip);
}

/** warnings for addresses that later releases will refuse: pkg/api/util/ip. */
export function ipWarning(field: string, ip: string): string {
  const canonical = ip
    .split('.')
    .map((part) => String(Number(part)))
    .join('.');
  return `${field}: non-standard IP address "${ip}" will be considered invalid in a future Kubernetes release: use "${canonical}"`;
}
