import { aggregateContainerRequests } from '../pod-resources.ts';
import { formatQuantity } from '../quantity.ts';
import type { Container, Pod, PodSpec } from '../types.ts';
import { isHugePages, isOvercommitAllowed } from '../validation/resources.ts';
import { changed, changedEach, withField, withMissing } from './missing.ts';
import { defaultPodSpec } from './pod-template.ts';
import { defaultRequirements } from './resources.ts';

/** SetDefaults_Pod of pkg/apis/core/v1/defaults.go: what pods get beyond what templates get. */
export function defaultPod(pod: Pod): Pod {
  const spec = pod.spec === undefined ? undefined : completePodSpec(pod.spec);
  return spec === undefined || spec === pod.spec ? pod : { ...pod, spec };
}

/** Specs that need nothing any more: every patch of a pod's status writes its spec back unchanged. */
const complete = new WeakSet<PodSpec>();

function completePodSpec(given: PodSpec): PodSpec {
  if (complete.has(given)) return given;
  const spec = filledPodSpec(given);
  // Only what comes back unchanged may come again: remembering what was filled just now would cost each create.
  if (spec === given) complete.add(spec);
  return spec;
}

function filledPodSpec(given: PodSpec): PodSpec {
  let spec = withMissing(defaultPodSpec(given, true), { enableServiceLinks: true });
  if (spec.resources !== undefined) spec = changed(spec, 'resources', (r) => defaultPodRequests(spec, defaultRequirements(r, false)));
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) spec = { ...spec, terminationGracePeriodSeconds: 1 };
  if (spec.hostNetwork !== true) return spec;
  const hostPorts = (container: Container): Container =>
    changedEach(container, 'ports', (port: NonNullable<Container['ports']>[number]) =>
      (port.hostPort ?? 0) === 0 ? withField(port, 'hostPort', port.containerPort) : port,
    );
  return changedEach(changedEach(spec, 'containers', hostPorts), 'initContainers', hostPorts);
}

/** defaultPodRequests: from what the containers ask together, else from the pod's limits. */
function defaultPodRequests(spec: PodSpec, resources: NonNullable<PodSpec['resources']>): NonNullable<PodSpec['resources']> {
  const requests: Record<string, string> = { ...resources.requests };
  const supported = (name: string): boolean => name === 'cpu' || name === 'memory' || isHugePages(name);
  const total = aggregateContainerRequests(spec);
  for (const name of Object.keys(total)) {
    const sum = total[name];
    if (sum !== undefined && !(name in requests) && supported(name) && isOvercommitAllowed(name)) requests[name] = formatQuantity(sum);
  }
  for (const [name, limit] of Object.entries(resources.limits ?? {})) if (!(name in requests) && supported(name)) requests[name] = limit;
  return Object.keys(requests).length === Object.keys(resources.requests ?? {}).length ? resources : { ...resources, requests };
}
