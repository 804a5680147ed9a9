import type { ApiObject } from '../api/object.ts';
import type { Pod } from '../api/types.ts';
import type { Informer } from '../client/informer.ts';
import { controllerOf } from './owner-reference.ts';

const name = 'podControllerUid';

function orphanKey(namespace: string | undefined): string {
  return `_orphan_${namespace ?? ''}`;
}

/** Lets pods be found by the uid of their controller, orphans by namespace: upstream controller.AddPodControllerIndexer. */
export function indexPodsByController(pods: Informer<Pod>): void {
  pods.addIndex(name, (pod) => [controllerOf(pod)?.uid ?? orphanKey(pod.metadata.namespace)]);
}

/** Pods whose controller has that uid. */
export function podsByController(pods: Informer<Pod>, uid: string): readonly Pod[] {
  return pods.byIndex(name, uid);
}

/** Pods of the controller and orphans of its namespace that it might adopt. */
export function podsOfController(pods: Informer<Pod>, controller: ApiObject): readonly Pod[] {
  const own = podsByController(pods, controller.metadata.uid ?? '');
  const orphans = pods.byIndex(name, orphanKey(controller.metadata.namespace));
  return orphans.length === 0 ? own : [...own, ...orphans];
}
