import type { Container, Pod, PodSpec } from '../../types.ts';
import { sameValue } from '../../validation/immutable.ts';

/** AppArmor profiles in annotations and in fields are kept in step. Upstream: applyAppArmorVersionSkew of pkg/registry/core/pod/strategy.go. */
type SecurityContext = NonNullable<Container['securityContext']>;
type Profile = NonNullable<SecurityContext['appArmorProfile']>;

const prefix = 'container.apparmor.security.beta.kubernetes.io/';
const local = 'localhost/';

/** Security contexts that got their profile from an annotation: creating such a pod warns. */
const fromAnnotation = new WeakSet<SecurityContext>();

function annotationOf(profile: Profile | undefined): string | undefined {
  switch (profile?.type) {
    case 'Unconfined':
      return 'unconfined';
    case 'RuntimeDefault':
      return 'runtime/default';
    case 'Localhost':
      return profile.localhostProfile === undefined ? undefined : `${local}${profile.localhostProfile}`;
    default:
      return undefined;
  }
}

function profileOf(annotation: string): Profile | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' };
  if (annotation === 'runtime/default') return { type: 'RuntimeDefault' };
  const file = annotation.startsWith(local) ? annotation.slice(local.length) : '';
  return file === '' || file.trim() !== file ? undefined : { type: 'Localhost', localhostProfile: file };
}

const lists = ['initContainers', 'containers'] as const;

/** A new pod with profiles that only annotations or only fields have in both. */
export function withAppArmor(pod: Pod): Pod {
  const { spec, metadata } = pod;
  if (spec === undefined || spec.os?.name === 'windows') return pod;
  const podProfile = spec.securityContext?.appArmorProfile;
  let annotations = metadata.annotations;
  let next: PodSpec = spec;
  const synced = (container: Container): Container => {
    const key = prefix + container.name;
    const annotation = annotations?.[key];
    const profile = container.securityContext?.appArmorProfile;
    if (annotation === undefined) {
      const text = annotationOf(profile ?? podProfile);
      if (text !== undefined) annotations = { ...annotations, [key]: text };
      return container;
    }
    const wanted = profile === undefined ? profileOf(annotation) : undefined;
    if (wanted === undefined || sameValue(wanted, podProfile)) return container;
    const securityContext = { ...container.securityContext, appArmorProfile: wanted };
    fromAnnotation.add(securityContext);
    return { ...container, securityContext };
  };
  if (podProfile === undefined && annotations === undefined && !lists.some((list) => spec[list]?.some(hasProfile) === true)) return pod;
  for (const list of lists) {
    const containers = next[list];
    if (containers === undefined || containers === null) continue;
    const changed = containers.map(synced);
    if (changed.some((container, i) => container !== containers[i])) next = { ...next, [list]: changed };
  }
  if (next === spec && annotations === metadata.annotations) return pod;
  return { ...pod, spec: next, ...(annotations === undefined ? {} : { metadata: { ...metadata, annotations } }) };
}

function hasProfile(container: Container): boolean {
  return container.securityContext?.appArmorProfile !== undefined;
}

/** Warnings of a pod that comes from `withAppArmor`. */
export function warnOfAppArmor({ spec, metadata }: Pod, out: string[]): void {
  const { annotations } = metadata;
  if (annotations === undefined || spec?.os?.name === 'windows') return;
  for (const list of lists) {
    for (const { name, securityContext } of spec?.[list] ?? []) {
      const annotation = annotations[prefix + name];
      if (annotation === undefined) continue;
      const isUnreadable = securityContext?.appArmorProfile === undefined && profileOf(annotation) === undefined;
      if (!isUnreadable && (securityContext === undefined || !fromAnnotation.has(securityContext))) continue;
      out.push(`metadata.annotations[${prefix}${name}]: deprecated since v1.30; use the "appArmorProfile" field instead`);
    }
  }
}
