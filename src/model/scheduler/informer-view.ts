import type { PodDisruptionBudget, Service } from '../api/types.ts';
import type { InformerFactory } from '../client/informer-factory.ts';
import type { Informer } from '../client/informer.ts';
import {
  NAMESPACES,
  PERSISTENT_VOLUMES,
  PERSISTENT_VOLUME_CLAIMS,
  POD_DISRUPTION_BUDGETS,
  REPLICATION_CONTROLLERS,
  REPLICA_SETS,
  SERVICES,
  STATEFUL_SETS,
  STORAGE_CLASSES,
} from '../client/resources.ts';
import type { SchedulerCache } from './cache.ts';
import type { SchedulingView } from './framework.ts';
import { defaultSelector } from './workload-selectors.ts';
import type { VolumeAssumptions } from './volume-assumptions.ts';

const byNamespace = 'namespace';

/** What a scheduling cycle sees: the cache of nodes and pods, and the informers of everything else. */
export function informerView(informers: InformerFactory, cache: SchedulerCache, volumes: VolumeAssumptions): SchedulingView {
  const namespaces = informers.informer(NAMESPACES);
  const services: Informer<Service> = informers.informer(SERVICES);
  const controllers = informers.informer(REPLICATION_CONTROLLERS);
  const replicaSets = informers.informer(REPLICA_SETS);
  const statefulSets = informers.informer(STATEFUL_SETS);
  const budgets: Informer<PodDisruptionBudget> = informers.informer(POD_DISRUPTION_BUDGETS);
  const claims = informers.informer(PERSISTENT_VOLUME_CLAIMS);
  const persistentVolumes = informers.informer(PERSISTENT_VOLUMES);
  const classes = informers.informer(STORAGE_CLASSES);
  services.addIndex(byNamespace, (service) => [service.metadata.namespace ?? '']);
  const lister = {
    services: (namespace: string) => services.byIndex(byNamespace, namespace),
    replicationController: (namespace: string, name: string) => controllers.get(`${namespace}/${name}`),
    replicaSet: (namespace: string, name: string) => replicaSets.get(`${namespace}/${name}`),
    statefulSet: (namespace: string, name: string) => statefulSets.get(`${namespace}/${name}`),
  };
  return {
    get nodes() {
      return cache.nodes;
    },
    node: (name) => cache.node(name),
    get anyAffinity() {
      return cache.anyAffinity;
    },
    get anyRequiredAntiAffinity() {
      return cache.anyRequiredAntiAffinity;
    },
    counts: cache.counts,
    namespaceLabels: (name) => namespaces.get(name)?.metadata.labels,
    defaultSelector: (pod) => defaultSelector(pod, lister),
    volumes: {
      claim: (namespace, name) => volumes.claim(claims.get(`${namespace}/${name}`)),
      volume: (name) => volumes.volume(persistentVolumes.get(name)),
      volumes: () => persistentVolumes.list().map((volume) => volumes.volume(volume) ?? volume),
      storageClass: (name) => classes.get(name),
    },
    budgets: () => budgets.list(),
  };
}
