import type { ObjectMeta } from '../object.ts';
import { aggregateContainerRequests } from '../pod-resources.ts';
import { compareQuantity, formatQuantity, quantityOf } from '../quantity.ts';
import type { PodSpec } from '../types.ts';
import { checkContainers, checkEphemeralContainers, checkInitContainers, type PodSurroundings } from './containers.ts';
import { duplicate, type FieldErrors, forbidden, invalid, notSupported, required } from './field-errors.ts';
import { checkIp } from './ip.ts';
import { checkLabels, sortedKeys } from './labels.ts';
import { isDns1123Label, isDns1123Subdomain, isDns1123SubdomainWithUnderscore, isQualifiedName } from './names.ts';
import { int32Max, rangeMessage } from './numbers.ts';
import { checkRequirements, checkResourceName, isHugePages, type ResourceList } from './resources.ts';
import { checkAffinity, checkTolerations, checkTopologySpread } from './scheduling.ts';
import { checkHostProcess, checkOs, checkPodSecurityContext } from './security-context.ts';
import { checkVolumes } from './volumes.ts';

/** The spec of pods and of pod templates. Upstream: ValidatePodSpec of pkg/apis/core/validation. */

const noNames: ReadonlySet<string> = new Set();
const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];

/** `pod` is undefined in templates. */
export function checkPodSpec(spec: PodSpec, pod: ObjectMeta | undefined, field: string, out: FieldErrors): void {
  if (spec.terminationGracePeriodSeconds === undefined) out.push(required(`${field}.terminationGracePeriodSeconds`));
  const hostUsers = spec.hostUsers !== false;
  const volumes = checkVolumes(spec.volumes, pod, `${field}.volumes`, out);
  const claimNames =
    spec.resourceClaims === undefined ? noNames : new Set(spec.resourceClaims.map((c) => c.name).filter((name) => name !== ''));
  checkResourceClaims(spec.resourceClaims, `${field}.resourceClaims`, out);
  const surroundings: PodSurroundings = { spec, volumes, claimNames, hostUsers };
  checkContainers(surroundings, `${field}.containers`, out);
  checkInitContainers(surroundings, `${field}.initContainers`, out);
  checkEphemeralContainers(surroundings, `${field}.ephemeralContainers`, out);
  if (spec.resources !== undefined) checkPodResources(spec, spec.resources, `${field}.resources`, claimNames, out);
  if (spec.hostNetwork === true) checkHostNetworkPorts(spec, pod !== undefined, `${field}.containers`, out);
  checkPolicy(spec.restartPolicy, ['Always', 'OnFailure', 'Never'], `${field}.restartPolicy`, out);
  checkPolicy(spec.dnsPolicy, dnsPolicies, `${field}.dnsPolicy`, out);
  checkLabels(spec.nodeSelector, `${field}.nodeSelector`, out);
  checkPodSecurityContext(spec.securityContext, spec, `${field}.securityContext`, out);
  checkAffinity(spec.affinity, `${field}.affinity`, out);
  checkDnsConfig(spec, `${field}.dnsConfig`, out);
  const gates = spec.readinessGates;
  if (gates !== undefined) {
    for (let i = 0; i < gates.length; i++) {
      const type = gates[i]?.conditionType ?? '';
      for (const message of isQualifiedName(type)) out.push(invalid(`${field}.readinessGates[${i}].conditionType`, type, message));
    }
  }
  checkSchedulingGates(spec.schedulingGates, `${field}.schedulingGates`, out);
  checkTopologySpread(spec.topologySpreadConstraints, `${field}.topologySpreadConstraints`, out);
  if (spec.securityContext?.windowsOptions !== undefined || spec.os !== undefined) checkHostProcess(spec, field, out);
  checkHostUsers(spec, field, out);
  checkSubdomain(spec.serviceAccountName, `${field}.serviceAccountName`, out);
  checkSubdomain(spec.nodeName, `${field}.nodeName`, out);
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && (deadline < 1 || deadline > int32Max))
    out.push(invalid(`${field}.activeDeadlineSeconds`, deadline, rangeMessage(1, int32Max)));
  checkLabel(spec.hostname, `${field}.hostname`, out);
  checkLabel(spec.subdomain, `${field}.subdomain`, out);
  if (spec.hostnameOverride !== undefined) checkHostnameOverride(spec, spec.hostnameOverride, field, out);
  checkTolerations(spec.tolerations, `${field}.tolerations`, out);
  checkHostAliases(spec.hostAliases, `${field}.hostAliases`, out);
  checkSubdomain(spec.priorityClassName, `${field}.priorityClassName`, out);
  if (spec.runtimeClassName !== undefined) {
    for (const message of isDns1123Subdomain(spec.runtimeClassName))
      out.push(invalid(`${field}.runtimeClassName`, spec.runtimeClassName, message));
  }
  if (spec.preemptionPolicy !== undefined)
    checkPolicy(spec.preemptionPolicy, ['PreemptLowerPriority', 'Never'], `${field}.preemptionPolicy`, out);
  if (spec.overhead !== undefined) checkRequirements({ limits: spec.overhead }, `${field}.overhead`, noNames, out);
  checkOs(spec, field, out);
}

function checkPolicy(value: string | undefined, supported: readonly string[], field: string, out: FieldErrors): void {
  if (value === undefined || value === '') out.push(required(field));
  else if (!supported.includes(value)) out.push(notSupported(field, value, supported));
}

function checkSubdomain(name: string | undefined, field: string, out: FieldErrors): void {
  if (name === undefined || name === '') return;
  for (const message of isDns1123Subdomain(name)) out.push(invalid(field, name, message));
}

function checkLabel(name: string | undefined, field: string, out: FieldErrors): void {
  if (name === undefined || name === '') return;
  for (const message of isDns1123Label(name)) out.push(invalid(field, name, message));
}

function checkHostnameOverride(spec: PodSpec, name: string, field: string, out: FieldErrors): void {
  const path = `${field}.hostnameOverride`;
  for (const message of isDns1123Subdomain(name)) out.push(invalid(path, name, message));
  if (name.length > 64) out.push(invalid(path, name, 'must be no more than 64 characters'));
  if (spec.setHostnameAsFQDN === true) out.push(forbidden(path, 'may not be specified when `setHostnameAsFQDN` is true'));
  if (spec.hostNetwork === true) out.push(forbidden(path, 'may not be specified when `hostNetwork` is true'));
}

function checkResourceClaims(claims: PodSpec['resourceClaims'], field: string, out: FieldErrors): void {
  if (claims === undefined) return;
  const names = new Set<string>();
  for (let i = 0; i < claims.length; i++) {
    const { name = '', resourceClaimName, resourceClaimTemplateName } = claims[i] ?? {};
    const path = `${field}[${i}]`;
    if (name === '') out.push(required(`${path}.name`));
    else if (names.has(name)) out.push(duplicate(`${path}.name`, name));
    else {
      for (const message of isDns1123Label(name)) out.push(invalid(`${path}.name`, name, message));
      names.add(name);
    }
    const go = { Name: name, ResourceClaimName: resourceClaimName ?? null, ResourceClaimTemplateName: resourceClaimTemplateName ?? null };
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      out.push(invalid(path, go, 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'));
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      out.push(invalid(path, go, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'));
    }
    if (resourceClaimName !== undefined)
      for (const message of isDns1123Subdomain(resourceClaimName))
        out.push(invalid(`${path}.resourceClaimName`, resourceClaimName, message));
    if (resourceClaimTemplateName !== undefined) {
      for (const message of isDns1123Subdomain(resourceClaimTemplateName))
        out.push(invalid(`${path}.resourceClaimTemplateName`, resourceClaimTemplateName, message));
    }
  }
}

/** validatePodResources: requirements of the pod as a whole (KEP-2837). */
function checkPodResources(
  spec: PodSpec,
  resources: NonNullable<PodSpec['resources']>,
  field: string,
  claimNames: ReadonlySet<string>,
  out: FieldErrors,
): void {
  if (resources.claims !== undefined) out.push(forbidden(`${field}.claims`, 'claims cannot be set for Resources at pod-level'));
  checkRequirements(resources, field, claimNames, out, (name, path, errors) => {
    if (checkResourceName(name, path, errors) && name !== 'cpu' && name !== 'memory' && !isHugePages(name)) {
      errors.push(notSupported(path, name, ['cpu', 'hugepages-', 'memory']));
    }
  });
  const total = aggregateContainerRequests(spec);
  for (const name of sortedKeys(total)) {
    const sum = total[name];
    const pod = quantityOf(resources.requests?.[name]);
    if (sum !== undefined && compareQuantity(sum, pod) > 0 && (name === 'cpu' || name === 'memory' || isHugePages(name))) {
      out.push(
        invalid(
          `${field}.requests[${name}]`,
          formatQuantity(pod),
          `must be greater than or equal to aggregate container requests of ${formatQuantity(sum)}`,
        ),
      );
    }
  }
  for (const [i, container] of (spec.containers ?? []).entries()) {
    const limits: ResourceList = container.resources?.limits ?? {};
    for (const name of sortedKeys(limits)) {
      const podLimit = resources.limits?.[name];
      if (podLimit !== undefined && compareQuantity(quantityOf(limits[name]), quantityOf(podLimit)) > 0) {
        out.push(
          invalid(`${field}.containers[${i}][${name}].limits`, limits[name], `must be less than or equal to pod limits of ${podLimit}`),
        );
      }
    }
  }
}

/** validatePodHostNetworkDeps: templates may leave host ports out, pods have had them defaulted. */
function checkHostNetworkPorts(spec: PodSpec, isPod: boolean, field: string, out: FieldErrors): void {
  for (const [i, container] of (spec.containers ?? []).entries()) {
    for (const [j, port] of (container.ports ?? []).entries()) {
      const hostPort = port.hostPort ?? 0;
      if ((isPod || hostPort !== 0) && hostPort !== port.containerPort) {
        out.push(invalid(`${field}[${i}].ports[${j}].hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true'));
      }
    }
  }
}

function checkSchedulingGates(gates: PodSpec['schedulingGates'], field: string, out: FieldErrors): void {
  if (gates === undefined) return;
  const seen = new Set<string>();
  for (let i = 0; i < gates.length; i++) {
    const name = gates[i]?.name ?? '';
    for (const message of isQualifiedName(name)) out.push(invalid(`${field}[${i}]`, name, message));
    if (seen.has(name)) out.push(duplicate(`${field}[${i}]`, name));
    seen.add(name);
  }
}

function checkDnsConfig(spec: PodSpec, field: string, out: FieldErrors): void {
  const config = spec.dnsConfig;
  if (spec.dnsPolicy === 'None') {
    if (config === undefined) return void out.push(required(field, 'must provide `dnsConfig` when `dnsPolicy` is None'));
    if ((config.nameservers ?? []).length === 0) {
      return void out.push(required(`${field}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'));
    }
  }
  if (config === undefined) return;
  const { nameservers = [], searches = [], options = [] } = config;
  if (nameservers.length > 3) out.push(invalid(`${field}.nameservers`, nameservers, 'must not have more than 3 nameservers'));
  for (const [i, server] of nameservers.entries()) checkIp(server, `${field}.nameservers[${i}]`, out);
  if (searches.length > 32) out.push(invalid(`${field}.searches`, searches, 'must not have more than 32 search paths'));
  if (searches.join(' ').length > 2048)
    out.push(invalid(`${field}.searches`, searches, 'must not have more than 2048 characters (including spaces) in the search list'));
  for (const [i, search] of searches.entries()) {
    if (search === '.') continue;
    const name = search.endsWith('.') ? search.slice(0, -1) : search;
    for (const message of isDns1123SubdomainWithUnderscore(name)) out.push(invalid(`${field}.searches[${i}]`, name, message));
  }
  for (const [i, option] of options.entries())
    if ((option.name ?? '') === '') out.push(required(`${field}.options[${i}]`, 'must not be empty'));
}

function checkHostUsers(spec: PodSpec, field: string, out: FieldErrors): void {
  if (spec.hostUsers !== false) return;
  const detail = 'when `hostUsers` is false';
  if (spec.hostNetwork === true) out.push(forbidden(`${field}.hostNetwork`, detail));
  if (spec.hostPID === true) out.push(forbidden(`${field}.HostPID`, detail));
  if (spec.hostIPC === true) out.push(forbidden(`${field}.HostIPC`, detail));
}

function checkHostAliases(aliases: PodSpec['hostAliases'], field: string, out: FieldErrors): void {
  for (const [i, alias] of (aliases ?? []).entries()) {
    checkIp(alias.ip ?? '', `${field}[${i}].ip`, out);
    for (const [j, name] of (alias.hostnames ?? []).entries()) {
      for (const message of isDns1123Subdomain(name)) out.push(invalid(`${field}[${i}].hostnames[${j}]`, name, message));
    }
  }
}
