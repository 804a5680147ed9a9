import type { Container, PodSecurityContext, PodSpec, SecurityContext } from '../types.ts';
import { duplicate, type FieldErrors, forbidden, invalid, notSupported, required, tooLong } from './field-errors.ts';
import { isDns1123Subdomain } from './names.ts';
import { checkUnixId } from './numbers.ts';
import { checkLocalDescendingPath } from './paths.ts';

/** Security contexts of pods and containers. Upstream: ValidateSecurityContext and validatePodSpecSecurityContext. */

const sysctlName = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
const sysctlMessage =
  'must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';
const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'];

export function checkSecurityContext(context: SecurityContext | undefined, field: string, hostUsers: boolean, out: FieldErrors): void {
  if (context === undefined) return;
  checkUnixId(context.runAsUser, `${field}.runAsUser`, out);
  checkUnixId(context.runAsGroup, `${field}.runAsGroup`, out);
  if (context.procMount !== undefined) {
    if (context.procMount !== 'Default' && context.procMount !== 'Unmasked')
      out.push(notSupported(`${field}.procMount`, context.procMount, ['Default', 'Unmasked']));
    if (hostUsers && context.procMount === 'Unmasked')
      out.push(invalid(`${field}.procMount`, context.procMount, '`hostUsers` must be false to use `Unmasked`'));
  }
  checkSeccomp(context.seccompProfile, `${field}.seccompProfile`, out);
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged === true) {
      out.push(invalid(field, goSecurityContext(context), 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'));
    }
    for (const capability of context.capabilities?.add ?? []) {
      if (capability === 'CAP_SYS_ADMIN') {
        out.push(
          invalid(field, goSecurityContext(context), 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'),
        );
      }
    }
  }
  checkWindowsOptions(context.windowsOptions, `${field}.windowsOptions`, out);
  checkAppArmor(context.appArmorProfile, `${field}.appArmorProfile`, out);
}

/** The internal type's JSON: Go field names, in the order of the struct. */
function goSecurityContext(context: SecurityContext): unknown {
  const { capabilities, seccompProfile, appArmorProfile, seLinuxOptions, windowsOptions } = context;
  return {
    Capabilities: capabilities === undefined ? null : { Add: capabilities.add ?? null, Drop: capabilities.drop ?? null },
    Privileged: context.privileged ?? null,
    SELinuxOptions:
      seLinuxOptions === undefined
        ? null
        : {
            User: seLinuxOptions.user ?? '',
            Role: seLinuxOptions.role ?? '',
            Type: seLinuxOptions.type ?? '',
            Level: seLinuxOptions.level ?? '',
          },
    WindowsOptions:
      windowsOptions === undefined
        ? null
        : {
            GMSACredentialSpecName: windowsOptions.gmsaCredentialSpecName ?? null,
            GMSACredentialSpec: windowsOptions.gmsaCredentialSpec ?? null,
            RunAsUserName: windowsOptions.runAsUserName ?? null,
            HostProcess: windowsOptions.hostProcess ?? null,
          },
    RunAsUser: context.runAsUser ?? null,
    RunAsGroup: context.runAsGroup ?? null,
    RunAsNonRoot: context.runAsNonRoot ?? null,
    ReadOnlyRootFilesystem: context.readOnlyRootFilesystem ?? null,
    AllowPrivilegeEscalation: context.allowPrivilegeEscalation ?? null,
    ProcMount: context.procMount ?? null,
    SeccompProfile: seccompProfile === undefined ? null : goProfile(seccompProfile),
    AppArmorProfile: appArmorProfile === undefined ? null : goProfile(appArmorProfile),
  };
}

function goProfile(profile: { readonly type: string; readonly localhostProfile?: string }): unknown {
  return { Type: profile.type, LocalhostProfile: profile.localhostProfile ?? null };
}

function checkSeccomp(profile: SecurityContext['seccompProfile'], field: string, out: FieldErrors): void {
  if (profile === undefined) return;
  const type: string = profile.type ?? '';
  if (type === '') out.push(required(`${field}.type`, 'type is required when seccompProfile is set'));
  else if (!profileTypes.includes(type)) out.push(notSupported(`${field}.type`, type, profileTypes));
  if (type === 'Localhost') {
    if (profile.localhostProfile === undefined)
      out.push(required(`${field}.localhostProfile`, 'must be set when seccomp type is Localhost'));
    else checkLocalDescendingPath(profile.localhostProfile, `${field}.localhostProfile`, out);
  } else if (profile.localhostProfile !== undefined) {
    out.push(invalid(`${field}.localhostProfile`, goProfile(profile), 'can only be set when seccomp type is Localhost'));
  }
}

function checkAppArmor(profile: SecurityContext['appArmorProfile'], field: string, out: FieldErrors): void {
  if (profile === undefined) return;
  const type: string = profile.type ?? '';
  const local = profile.localhostProfile;
  const path = `${field}.localhostProfile`;
  if (type === '') out.push(required(`${field}.type`, 'type is required when appArmorProfile is set'));
  else if (!profileTypes.includes(type)) out.push(notSupported(`${field}.type`, type, profileTypes));
  else if (type !== 'Localhost') {
    if (local !== undefined) out.push(invalid(path, local, 'can only be set when AppArmor type is Localhost'));
  } else if (local === undefined) out.push(required(path, 'must be set when AppArmor type is Localhost'));
  else {
    if (local.trim() !== local) out.push(invalid(path, local, 'must not be padded with whitespace'));
    else if (local === '') out.push(required(path, 'must be set when AppArmor type is Localhost'));
    if (local.length > 4095) out.push(tooLong(path, 4095));
  }
}

/** The checks on Windows options that do not depend on a Windows account's grammar. */
function checkWindowsOptions(options: SecurityContext['windowsOptions'], field: string, out: FieldErrors): void {
  if (options === undefined) return;
  const { gmsaCredentialSpecName, gmsaCredentialSpec, runAsUserName } = options;
  if (gmsaCredentialSpecName !== undefined) {
    for (const message of isDns1123Subdomain(gmsaCredentialSpecName))
      out.push(invalid(`${field}.gmsaCredentialSpecName`, gmsaCredentialSpecName, message));
  }
  if (gmsaCredentialSpec !== undefined) {
    if (gmsaCredentialSpec === '') out.push(invalid(`${field}.gmsaCredentialSpec`, '', 'gmsaCredentialSpec cannot be an empty string'));
    else if (gmsaCredentialSpec.length > 64 * 1024)
      out.push(invalid(`${field}.gmsaCredentialSpec`, gmsaCredentialSpec, 'gmsaCredentialSpec size must be under 64 KiB'));
  }
  if (runAsUserName === undefined) return;
  const fail = (detail: string): void => void out.push(invalid(`${field}.runAsUserName`, runAsUserName, detail));
  const parts = runAsUserName.split('\\');
  if (runAsUserName === '') return fail('runAsUserName cannot be an empty string');
  if (parts.length > 2) return fail('runAsUserName cannot contain more than one backslash');
  const user = parts.at(-1) ?? '';
  if (user === '') fail("runAsUserName's User cannot be empty");
  else if (user.length > 104) fail("runAsUserName's User length must not be longer than 104 characters");
  if (/^[. ]+$/.test(user)) fail("runAsUserName's User cannot contain only periods or spaces");
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) fail(`runAsUserName's User cannot contain the following characters: "/\\:;|=,+*?<>@[]`);
}

export function checkPodSecurityContext(context: PodSecurityContext | undefined, spec: PodSpec, field: string, out: FieldErrors): void {
  if (context === undefined) return;
  checkUnixId(context.fsGroup, `${field}.fsGroup`, out);
  checkUnixId(context.runAsUser, `${field}.runAsUser`, out);
  checkUnixId(context.runAsGroup, `${field}.runAsGroup`, out);
  const groups = context.supplementalGroups;
  if (groups !== undefined) for (let i = 0; i < groups.length; i++) checkUnixId(groups[i], `${field}.supplementalGroups[${i}]`, out);
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    out.push(invalid(`${field}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled'));
  }
  checkSysctls(context, spec, `${field}.sysctls`, out);
  const changePolicy: string | undefined = context.fsGroupChangePolicy;
  if (changePolicy !== undefined && changePolicy !== 'Always' && changePolicy !== 'OnRootMismatch') {
    out.push(notSupported(`${field}.fsGroupChangePolicy`, changePolicy, ['Always', 'OnRootMismatch']));
  }
  checkSeccomp(context.seccompProfile, `${field}.seccompProfile`, out);
  checkWindowsOptions(context.windowsOptions, `${field}.windowsOptions`, out);
  checkAppArmor(context.appArmorProfile, `${field}.appArmorProfile`, out);
  const groupsPolicy: string | undefined = context.supplementalGroupsPolicy;
  if (groupsPolicy !== undefined && groupsPolicy !== 'Merge' && groupsPolicy !== 'Strict') {
    out.push(notSupported(`${field}.supplementalGroupsPolicy`, groupsPolicy, ['Merge', 'Strict']));
  }
  const selinux: string | undefined = context.seLinuxChangePolicy;
  if (selinux !== undefined && selinux !== 'MountOption' && selinux !== 'Recursive') {
    out.push(notSupported(`${field}.seLinuxChangePolicy`, selinux, ['MountOption', 'Recursive']));
  }
}

function checkSysctls(context: PodSecurityContext, spec: PodSpec, field: string, out: FieldErrors): void {
  const seen = new Set<string>();
  const sysctls = context.sysctls ?? [];
  for (let i = 0; i < sysctls.length; i++) {
    const name = sysctls[i]?.name ?? '';
    const path = `${field}[${i}].name`;
    if (name === '') out.push(required(path));
    else if (name.length > 253 || !sysctlName.test(name)) out.push(invalid(path, name, sysctlMessage));
    else if (seen.has(name)) out.push(duplicate(path, name));
    const dotted = name.replaceAll('/', '.');
    if (spec.hostNetwork === true && dotted.startsWith('net.'))
      out.push(invalid(path, name, "may not be specified when 'hostNetwork' is true"));
    else if (spec.hostIPC === true && (/^kernel\.(shm|msg|sem)/.test(dotted) || dotted.startsWith('fs.mqueue.'))) {
      out.push(invalid(path, name, "may not be specified when 'hostIPC' is true"));
    }
    seen.add(name);
  }
}

/** Containers of all three lists with their paths: podshelper.VisitContainersWithPath. */
export function* containersWithPaths(
  spec: PodSpec,
  field: string,
): Generator<readonly [Pick<Container, 'name' | 'securityContext'>, string]> {
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    const containers = spec[list] ?? [];
    for (let i = 0; i < containers.length; i++) {
      const container = containers[i];
      if (container !== undefined) yield [container, `${field}.${list}[${i}]`];
    }
  }
}

const windowsPodFields = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
] as const;
const windowsContainerFields = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const;

/** validateOS, validateLinux and validateWindows. */
export function checkOs(spec: PodSpec, field: string, out: FieldErrors): void {
  const name: string | undefined = spec.os?.name;
  if (spec.os === undefined) return;
  if (name === undefined || name === '') out.push(required(`${field}.os.name`, 'cannot be empty'));
  else if (name === 'linux') {
    const detail = 'windows options cannot be set for a linux pod';
    if (spec.securityContext?.windowsOptions !== undefined) out.push(forbidden(`${field}.securityContext.windowsOptions`, detail));
    for (const [container, path] of containersWithPaths(spec, field)) {
      if (container.securityContext?.windowsOptions !== undefined) out.push(forbidden(`${path}.securityContext.windowsOptions`, detail));
    }
  } else if (name === 'windows') {
    const detail = 'cannot be set for a windows pod';
    for (const key of windowsPodFields)
      if (spec.securityContext?.[key] !== undefined) out.push(forbidden(`${field}.securityContext.${key}`, detail));
    for (const key of ['hostUsers', 'shareProcessNamespace'] as const)
      if (spec[key] !== undefined) out.push(forbidden(`${field}.${key}`, detail));
    for (const key of ['hostPID', 'hostIPC'] as const) if (spec[key] === true) out.push(forbidden(`${field}.${key}`, detail));
    for (const [container, path] of containersWithPaths(spec, field)) {
      for (const key of windowsContainerFields)
        if (container.securityContext?.[key] !== undefined) out.push(forbidden(`${path}.securityContext.${key}`, detail));
    }
  } else out.push(notSupported(`${field}.os`, name, ['linux', 'windows']));
}

/** validateWindowsHostProcessPod. */
export function checkHostProcess(spec: PodSpec, field: string, out: FieldErrors): void {
  const pod = spec.securityContext?.windowsOptions?.hostProcess;
  let containers = 0;
  let hostProcess = 0;
  for (const [container, path] of containersWithPaths(spec, field)) {
    containers++;
    const own = container.securityContext?.windowsOptions?.hostProcess;
    if (pod !== undefined && own !== undefined && pod !== own) {
      out.push(
        invalid(
          `${path}.securityContext.windowsOptions.hostProcess`,
          own,
          `pod hostProcess value must be identical if both are specified, was ${pod}`,
        ),
      );
    }
    if (own ?? pod ?? false) hostProcess++;
  }
  if (hostProcess === 0) return;
  if (hostProcess !== containers)
    out.push(invalid(field, '', 'If pod contains any hostProcess containers then all containers must be HostProcess containers'));
  if (spec.hostNetwork !== true)
    out.push(invalid(`${field}.hostNetwork`, false, 'hostNetwork must be true if pod contains any hostProcess containers'));
}
