import { labelsMatch } from '../api/label-selector.ts';
import type { Pod, Service } from '../api/types.ts';
import type { Informer } from '../client/informer.ts';
import { objectKey } from '../client/reflector.ts';
import { podEndpointChange } from './endpoint.ts';

const byNamespace = 'namespace';

export function indexServicesByNamespace(services: Informer<Service>): void {
  services.addIndex(byNamespace, (service) => [service.metadata.namespace ?? '']);
}

/** Whether a service selects the pod; one without selector selects none. */
export function selectsPod(service: Service, labels: Pod['metadata']['labels']): boolean {
  const selector = service.spec?.selector;
  if (selector === undefined) return false;
  const keys = Object.keys(selector);
  if (keys.length === 0) return false;
  return labelsMatch(
    keys.map((key) => ({ key, operator: '=', values: [selector[key] as string] })),
    labels,
  );
}

/** Keys of the services that select a pod with these labels. */
export function servicesOf(services: Informer<Service>, pod: Pod): readonly string[] {
  return services
    .byIndex(byNamespace, pod.metadata.namespace ?? '')
    .filter((service) => selectsPod(service, pod.metadata.labels))
    .map(objectKey);
}

/** Keys of the services that an update of a pod concerns: upstream GetServicesToUpdateOnPodChange. */
export function servicesOnUpdate(services: Informer<Service>, previous: Pod, next: Pod): readonly string[] {
  if (previous.metadata.resourceVersion === next.metadata.resourceVersion) return [];
  const change = podEndpointChange(previous, next);
  if (!change.endpoint && !change.labels) return [];
  const after = servicesOf(services, next);
  if (!change.labels) return after;
  const before = servicesOf(services, previous);
  if (change.endpoint) return [...new Set([...before, ...after])].sort();
  return [...before.filter((key) => !after.includes(key)), ...after.filter((key) => !before.includes(key))].sort();
}
