import type { ConfigMap, Namespace } from '../api/types.ts';
import type { Informer } from '../client/informer.ts';
import { splitKey } from '../client/reflector.ts';
import { CONFIG_MAPS, NAMESPACES } from '../client/resources.ts';
import { isNamespaceTerminating, isNotFound } from '../client/result.ts';
import { type ReconcileError, runWorkers, WorkQueue } from '../client/work-queue.ts';
import type { Task } from '../../sim/task.ts';
import type { ControllerContext, ControllerRow } from './context.ts';

const NAME = 'kube-root-ca.crt';
const DESCRIPTION = 'kubernetes.io/description';
const DESCRIPTION_TEXT =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';
/** No certificates exist in the simulation: any text stands for the bundle. */
const BUNDLE = '-----BEGIN CERTIFICATE-----\nsimulated\n-----END CERTIFICATE-----\n';

/** Publishes the root CA bundle to every namespace: pkg/controller/certificates/rootcacertpublisher. */
export const rootCaPublisherController: ControllerRow = {
  name: 'root-ca-certificate-publisher-controller',
  start(context: ControllerContext): void {
    const namespaces: Informer<Namespace> = context.informer(NAMESPACES);
    const maps: Informer<ConfigMap> = context.informer(CONFIG_MAPS);
    const queue = new WorkQueue(context.process);
    namespaces.addHandler({ onAdd: (ns) => queue.add(ns.metadata.name ?? ''), onUpdate: (_, ns) => queue.add(ns.metadata.name ?? '') });
    maps.addHandler({
      onUpdate: (_, map) => {
        if (map.metadata.name === NAME && !isRight(map)) queue.add(map.metadata.namespace ?? '');
      },
      onDelete: (map) => {
        if (map.metadata.name === NAME) queue.add(map.metadata.namespace ?? '');
      },
    });
    function* sync(name: string): Task<ReconcileError> {
      const namespace = namespaces.get(splitKey(name).name);
      if (namespace !== undefined && namespace.status?.phase === 'Terminating') return undefined;
      const client = context.client.resource(CONFIG_MAPS);
      const map = maps.get(`${name}/${NAME}`);
      if (map === undefined) {
        if (namespace === undefined) return undefined;
        const created = yield* client.create({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: NAME, namespace: name, annotations: { [DESCRIPTION]: DESCRIPTION_TEXT } },
          data: { 'ca.crt': BUNDLE },
        });
        // A namespace that goes or is gone needs no bundle.
        return created.ok || isNotFound(created) || isNamespaceTerminating(created) ? undefined : created;
      }
      if (isRight(map)) return undefined;
      const updated = yield* client.update({
        ...map,
        metadata: { ...map.metadata, annotations: { ...map.metadata.annotations, [DESCRIPTION]: DESCRIPTION_TEXT } },
        data: { 'ca.crt': BUNDLE },
      });
      return updated.ok ? undefined : updated;
    }
    context.whenSynced([namespaces, maps], () => {
      runWorkers(context.process, 'root-ca', queue, 1, sync);
    });
  },
};

function isRight(map: ConfigMap): boolean {
  const data = map.data ?? {};
  return data['ca.crt'] === BUNDLE && Object.keys(data).length === 1 && map.metadata.annotations?.[DESCRIPTION] !== undefined;
}
