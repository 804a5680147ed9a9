import type { Task } from '../../sim/task.ts';
import type { Node, Pod } from '../api/types.ts';
import { PODS } from '../client/resources.ts';
import type { Client } from '../client/typed-client.ts';
import { CONFIG_HASH_ANNOTATION, CONFIG_MIRROR_ANNOTATION } from './pod-spec.ts';

/** Whether the mirror shows this very version of its static pod. */
export function mirrors(mirror: Pod, pod: Pod): boolean {
  return mirror.metadata.annotations?.[CONFIG_MIRROR_ANNOTATION] === pod.metadata.annotations?.[CONFIG_HASH_ANNOTATION];
}

/** Shows static pods in the API as pods that nothing there can change: upstream pkg/kubelet/pod/mirror_client.go. */
export class MirrorPods {
  readonly #client: Client;
  readonly #node: () => Node | undefined;

  /** `node`: the kubelet's Node as its informer has it. */
  constructor(client: Client, node: () => Node | undefined) {
    this.#client = client;
    this.#node = node;
  }

  /** Makes, or makes anew, the mirror of a static pod where it is missing or shows something else. Upstream tryReconcileMirrorPods. */
  *reconcile(pod: Pod, mirror: Pod | undefined): Task<void> {
    let missing = mirror === undefined;
    if (mirror !== undefined && (mirror.metadata.deletionTimestamp !== undefined || !mirrors(mirror, pod)))
      missing = yield* this.delete(mirror);
    if (!missing) return;
    const node = this.#node();
    // Without its Node the mirror would be collected as an orphan.
    if (node === undefined || node.metadata.deletionTimestamp !== undefined) return;
    const hash = pod.metadata.annotations?.[CONFIG_HASH_ANNOTATION] ?? '';
    const { uid: _uid, ...metadata } = pod.metadata;
    yield* this.#client.resource(PODS).create({
      ...pod,
      metadata: {
        ...metadata,
        annotations: { ...metadata.annotations, [CONFIG_MIRROR_ANNOTATION]: hash },
        ownerReferences: [
          { apiVersion: 'v1', kind: 'Node', name: node.metadata.name ?? '', uid: node.metadata.uid ?? '', controller: true },
        ],
      },
    });
  }

  /** True when this very mirror is gone now. */
  *delete(mirror: Pod): Task<boolean> {
    const { namespace = '', name = '', uid = '' } = mirror.metadata;
    const done = yield* this.#client.resource(PODS).delete(namespace, name, { options: { gracePeriodSeconds: 0, preconditions: { uid } } });
    return done.ok;
  }
}
