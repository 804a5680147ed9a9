import type { Container, EphemeralContainer, PodSpec } from '../types.ts';
import { checkEnv, checkEnvFrom } from './env.ts';
import { duplicate, type FieldErrors, forbidden, invalid, notFound, notSupported, required } from './field-errors.ts';
import { isDns1123Label, isPortName } from './names.ts';
import { checkPortNumber } from './numbers.ts';
import { checkLocalDescendingPath } from './paths.ts';
import { checkLifecycle, checkProbe } from './probes.ts';
import { checkRequirements } from './resources.ts';
import { checkSecurityContext } from './security-context.ts';
import { checkPullPolicy, type VolumesByName } from './volumes.ts';

/** Containers of all three lists. Upstream: validateContainers, validateInitContainers, validateEphemeralContainers. */

/** What containers are checked against: the rest of their pod. */
export interface PodSurroundings {
  readonly spec: PodSpec;
  readonly volumes: VolumesByName;
  readonly claimNames: ReadonlySet<string>;
  readonly hostUsers: boolean;
}

export const protocols: readonly string[] = ['SCTP', 'TCP', 'UDP'];
const restartPolicies = ['Always', 'Never', 'OnFailure'];

export function checkContainers(pod: PodSurroundings, field: string, out: FieldErrors): void {
  const containers = pod.spec.containers ?? [];
  if (containers.length === 0) return void out.push(required(field));
  const grace = pod.spec.terminationGracePeriodSeconds;
  for (let i = 0; i < containers.length; i++) {
    const container = containers[i];
    if (container === undefined) continue;
    const path = `${field}[${i}]`;
    checkCommon(container, pod, path, out);
    for (let j = 0; j < i; j++) {
      if (containers[j]?.name === container.name) {
        out.push(duplicate(`${path}.name`, container.name));
        break;
      }
    }
    checkLifecycle(container, path, grace, pod.spec.os?.name, out);
    checkProbe(container.livenessProbe, 'livenessProbe', path, grace, out);
    checkProbe(container.readinessProbe, 'readinessProbe', path, grace, out);
    checkProbe(container.startupProbe, 'startupProbe', path, grace, out);
    checkRestartPolicy(container, path, out);
  }
  checkHostPorts(containers, field, out);
}

export function checkInitContainers(pod: PodSurroundings, field: string, out: FieldErrors): void {
  const containers = pod.spec.initContainers;
  if (containers === undefined || containers.length === 0) return;
  const names = new Set((pod.spec.containers ?? []).map((c) => c.name));
  const grace = pod.spec.terminationGracePeriodSeconds;
  for (let i = 0; i < containers.length; i++) {
    const container = containers[i];
    if (container === undefined) continue;
    const path = `${field}[${i}]`;
    checkCommon(container, pod, path, out);
    checkRestartPolicy(container, path, out);
    const name = container.name ?? '';
    if (names.has(name)) out.push(duplicate(`${path}.name`, name));
    else if (name !== '') names.add(name);
    checkHostPorts([container], field, out);
    if (container.restartPolicy === 'Always') {
      checkLifecycle(container, path, grace, pod.spec.os?.name, out);
      checkProbe(container.livenessProbe, 'livenessProbe', path, grace, out);
      checkProbe(container.readinessProbe, 'readinessProbe', path, grace, out);
      checkProbe(container.startupProbe, 'startupProbe', path, grace, out);
    } else {
      for (const key of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
        if (container[key] !== undefined)
          out.push(forbidden(`${path}.${key}`, 'may not be set for init containers without restartPolicy=Always'));
      }
    }
  }
}

const forbiddenInEphemeral = [
  'ports',
  'resources',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
] as const;

export function checkEphemeralContainers(pod: PodSurroundings, field: string, out: FieldErrors): void {
  const containers: readonly EphemeralContainer[] | undefined = pod.spec.ephemeralContainers;
  if (containers === undefined || containers.length === 0) return;
  const detail = 'cannot be set for an Ephemeral Container';
  const others = new Set([...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])].map((c) => c.name));
  const names = new Set(others);
  for (let i = 0; i < containers.length; i++) {
    const container = containers[i];
    if (container === undefined) continue;
    const path = `${field}[${i}]`;
    checkCommon(container, pod, path, out);
    checkImageIsTrimmed(container.image, path, out);
    const name = container.name ?? '';
    if (names.has(name)) out.push(duplicate(`${path}.name`, name));
    else names.add(name);
    const target = container.targetContainerName ?? '';
    if (target !== '' && !others.has(target)) out.push(notFound(`${path}.targetContainerName`, target));
    for (const key of forbiddenInEphemeral) {
      const value: unknown = container[key];
      if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
      if (key === 'resources' && Object.keys(value as object).length === 0) continue;
      out.push(forbidden(`${path}.${key}`, detail));
    }
    const mounts = container.volumeMounts ?? [];
    for (let j = 0; j < mounts.length; j++) {
      if ((mounts[j]?.subPath ?? '') !== '') out.push(forbidden(`${path}.volumeMounts[${j}].subPath`, detail));
      if ((mounts[j]?.subPathExpr ?? '') !== '') out.push(forbidden(`${path}.volumeMounts[${j}].subPathExpr`, detail));
    }
  }
}

/** validateContainerOnlyForPod. */
export function checkImageIsTrimmed(image: string | undefined, container: string, out: FieldErrors): void {
  if (image !== undefined && image.trim() !== image)
    out.push(invalid(`${container}.image`, image, 'must not have leading or trailing whitespace'));
}

/** validateContainerCommon. */
function checkCommon(container: Container, pod: PodSurroundings, field: string, out: FieldErrors): void {
  const name = container.name ?? '';
  if (name === '') out.push(required(`${field}.name`));
  else for (const message of isDns1123Label(name)) out.push(invalid(`${field}.name`, name, message));
  if ((container.image ?? '') === '') out.push(required(`${field}.image`));
  const policy: string = container.terminationMessagePolicy ?? '';
  if (policy !== 'File' && policy !== 'FallbackToLogsOnError') {
    if (policy === '') out.push(required(`${field}.terminationMessagePolicy`));
    else out.push(notSupported(`${field}.terminationMessagePolicy`, policy, ['File', 'FallbackToLogsOnError']));
  }
  checkPorts(container.ports, `${field}.ports`, out);
  checkEnv(container.env, `${field}.env`, out);
  checkEnvFrom(container.envFrom, `${field}.envFrom`, out);
  checkMounts(container, pod, `${field}.volumeMounts`, out);
  checkDevices(container, pod, `${field}.volumeDevices`, out);
  checkPullPolicy(container.imagePullPolicy, `${field}.imagePullPolicy`, out);
  checkRequirements(container.resources, `${field}.resources`, pod.claimNames, out);
  checkResizePolicy(container.resizePolicy, pod.spec.restartPolicy, `${field}.resizePolicy`, out);
  checkSecurityContext(container.securityContext, `${field}.securityContext`, pod.hostUsers, out);
}

function checkPorts(ports: Container['ports'], field: string, out: FieldErrors): void {
  if (ports === undefined) return;
  const names = new Set<string>();
  for (let i = 0; i < ports.length; i++) {
    const port = ports[i];
    if (port === undefined) continue;
    const path = `${field}[${i}]`;
    const name = port.name ?? '';
    if (name !== '') {
      const messages = isPortName(name);
      for (const message of messages) out.push(invalid(`${path}.name`, name, message));
      if (messages.length === 0) {
        if (names.has(name)) out.push(duplicate(`${path}.name`, name));
        names.add(name);
      }
    }
    const number = port.containerPort ?? 0;
    if (number === 0) out.push(required(`${path}.containerPort`));
    else checkPortNumber(number, `${path}.containerPort`, out);
    if (port.hostPort !== undefined && port.hostPort !== 0) checkPortNumber(port.hostPort, `${path}.hostPort`, out);
    checkProtocol(port.protocol, `${path}.protocol`, out);
  }
}

/** Port protocols: absent ones have been defaulted, so the lack of one is a mistake. */
export function checkProtocol(protocol: string | undefined, field: string, out: FieldErrors): void {
  if (protocol === undefined || protocol === '') out.push(required(field));
  else if (!protocols.includes(protocol)) out.push(notSupported(field, protocol, protocols));
}

/** checkHostPortConflicts. */
function checkHostPorts(containers: readonly Container[], field: string, out: FieldErrors): void {
  let taken: Set<string> | undefined;
  for (let i = 0; i < containers.length; i++) {
    const ports = containers[i]?.ports;
    if (ports === undefined) continue;
    for (let j = 0; j < ports.length; j++) {
      const port = ports[j];
      if (port?.hostPort === undefined || port.hostPort === 0) continue;
      const key = `${port.protocol}/${port.hostIP ?? ''}/${port.hostPort}`;
      taken ??= new Set();
      if (taken.has(key)) out.push(duplicate(`${field}[${i}].ports[${j}].hostPort`, key));
      taken.add(key);
    }
  }
}

/** ValidateVolumeMounts. Upstream names subPath and mountPropagation without the mount's index. */
function checkMounts(container: Container, pod: PodSurroundings, field: string, out: FieldErrors): void {
  const mounts = container.volumeMounts;
  if (mounts === undefined) return;
  const devices = container.volumeDevices ?? [];
  for (let i = 0; i < mounts.length; i++) {
    const mount = mounts[i];
    if (mount === undefined) continue;
    const path = `${field}[${i}]`;
    const { name = '', mountPath = '', subPath = '', subPathExpr = '' } = mount;
    if (name === '') out.push(required(`${path}.name`));
    const volume = pod.volumes.get(name);
    if (volume === undefined) out.push(notFound(`${path}.name`, name));
    if (mountPath === '') out.push(required(`${path}.mountPath`));
    for (let j = 0; j < i; j++) {
      if (mounts[j]?.mountPath === mountPath) {
        out.push(invalid(`${path}.mountPath`, mountPath, 'must be unique'));
        break;
      }
    }
    if (devices.some((d) => d.name === name)) out.push(invalid(`${path}.name`, name, 'must not already exist in volumeDevices'));
    if (devices.some((d) => d.devicePath === mountPath))
      out.push(invalid(`${path}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices'));
    if (subPath !== '') checkLocalDescendingPath(subPath, `${field}.subPath`, out);
    if (subPathExpr !== '') {
      if (subPath !== '') out.push(invalid(`${path}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'));
      checkLocalDescendingPath(subPathExpr, `${field}.subPathExpr`, out);
    }
    checkPropagation(mount, container, field, out);
  }
}

function checkPropagation(
  mount: NonNullable<Container['volumeMounts']>[number],
  container: Container,
  field: string,
  out: FieldErrors,
): void {
  const mode: string | undefined = mount.mountPropagation;
  if (mode !== undefined) {
    const modes = ['Bidirectional', 'HostToContainer', 'None'];
    if (!modes.includes(mode)) out.push(notSupported(`${field}.mountPropagation`, mode, modes));
    if (mode === 'Bidirectional' && container.securityContext?.privileged !== true) {
      out.push(forbidden(`${field}.mountPropagation`, 'Bidirectional mount propagation is available only to privileged containers'));
    }
  }
  const recursive: string | undefined = mount.recursiveReadOnly;
  if (recursive === undefined || recursive === 'Disabled') return;
  if (recursive !== 'Enabled' && recursive !== 'IfPossible') {
    out.push(notSupported(`${field}.recursiveReadOnly`, recursive, ['Disabled', 'Enabled', 'IfPossible']));
    return;
  }
  if (mount.readOnly !== true) out.push(forbidden(`${field}.recursiveReadOnly`, 'may only be specified when readOnly is true'));
  if (mode !== undefined && mode !== 'None')
    out.push(forbidden(`${field}.recursiveReadOnly`, 'may only be specified when mountPropagation is None or not specified'));
}

/** ValidateVolumeDevices. */
function checkDevices(container: Container, pod: PodSurroundings, field: string, out: FieldErrors): void {
  const devices = container.volumeDevices;
  if (devices === undefined) return;
  const mounts = container.volumeMounts ?? [];
  const names = new Set<string>();
  const paths = new Set<string>();
  for (let i = 0; i < devices.length; i++) {
    const { name = '', devicePath = '' } = devices[i] ?? {};
    const path = `${field}[${i}]`;
    const volume = pod.volumes.get(name);
    if (name === '') out.push(required(`${path}.name`));
    if (names.has(name)) out.push(invalid(`${path}.name`, name, 'must be unique'));
    if (volume === undefined) out.push(notFound(`${path}.name`, name));
    else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) {
      out.push(invalid(`${path}.name`, name, 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'));
    }
    if (devicePath === '') out.push(required(`${path}.devicePath`));
    if (paths.has(devicePath)) out.push(invalid(`${path}.devicePath`, devicePath, 'must be unique'));
    if (devicePath.split('/').includes('..')) out.push(invalid(`${path}.devicePath`, devicePath, "can not contain backsteps ('..')"));
    else paths.add(devicePath);
    if (mounts.some((m) => m.name === name)) out.push(invalid(`${path}.name`, name, 'must not already exist in volumeMounts'));
    if (mounts.some((m) => m.mountPath === devicePath))
      out.push(invalid(`${path}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts'));
    if (name !== '') names.add(name);
  }
}

function checkResizePolicy(policies: Container['resizePolicy'], podPolicy: string | undefined, field: string, out: FieldErrors): void {
  if (policies === undefined) return;
  const seen = new Set<string>();
  for (let i = 0; i < policies.length; i++) {
    const { resourceName = '', restartPolicy = '' } = policies[i] ?? {};
    if (seen.has(resourceName)) out.push(duplicate(`${field}[${i}]`, resourceName));
    seen.add(resourceName);
    if (resourceName === '') out.push(required(field));
    else if (resourceName !== 'cpu' && resourceName !== 'memory') out.push(notSupported(field, resourceName, ['cpu', 'memory']));
    if (restartPolicy === '') out.push(required(field));
    else if (restartPolicy !== 'NotRequired' && restartPolicy !== 'RestartContainer')
      out.push(notSupported(field, restartPolicy, ['NotRequired', 'RestartContainer']));
    if (podPolicy === 'Never' && restartPolicy !== 'NotRequired')
      out.push(invalid(field, restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'"));
  }
}

/** Restart policies and rules of single containers (KEP-5307, on by default since 1.35). */
function checkRestartPolicy(container: Container, field: string, out: FieldErrors): void {
  const policy = container.restartPolicy;
  const rules = container.restartPolicyRules ?? [];
  if (policy === undefined) {
    if (rules.length > 0) out.push(required(`${field}.restartPolicy`, 'must specify restartPolicy when restart rules are used'));
  } else if (!restartPolicies.includes(policy)) out.push(notSupported(`${field}.restartPolicy`, policy, restartPolicies));
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i];
    const path = `${field}.restartPolicyRules[${i}]`;
    const action = rule?.action ?? '';
    if (action === '') out.push(required(`${path}.action`));
    else if (action !== 'Restart' && action !== 'RestartAllContainers') out.push(notSupported(`${path}.action`, action, ['Restart']));
    if (rule?.exitCodes === undefined) out.push(required(`${path}.exitCodes`, 'must be specified'));
    else if (rule.exitCodes.operator !== 'In' && rule.exitCodes.operator !== 'NotIn') {
      out.push(notSupported(`${path}.exitCodes.operator`, rule.exitCodes.operator ?? '', ['In', 'NotIn']));
    }
  }
}
