import type { ApiObject, OwnerReference } from '../api/object.ts';
import type { Pod, PodTemplateSpec } from '../api/types.ts';
import type { EventRecorder } from '../client/events.ts';
import { PODS } from '../client/resources.ts';
import { type ApiFailure, type ApiResult, isNamespaceTerminating, isNotFound } from '../client/result.ts';
import type { Client } from '../client/typed-client.ts';
import type { Task } from '../../sim/task.ts';

/** The pod that a template makes: upstream controller.GetPodFromTemplate. */
export function podFromTemplate(template: PodTemplateSpec, owner: ApiObject, reference: OwnerReference): Pod {
  const { metadata, spec } = template;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: owner.metadata.namespace ?? '',
      generateName: `${owner.metadata.name ?? ''}-`,
      ...(metadata?.labels !== undefined ? { labels: metadata.labels } : {}),
      ...(metadata?.annotations !== undefined ? { annotations: metadata.annotations } : {}),
      ...(metadata?.finalizers !== undefined ? { finalizers: metadata.finalizers } : {}),
      ownerReferences: [reference],
    },
    spec: spec as Pod['spec'],
  };
}

/** Creates and deletes pods in the name of a controller and tells about it in events: upstream controller.RealPodControl. */
export class PodControl {
  readonly #client: Client;
  readonly #recorder: EventRecorder;

  constructor(client: Client, recorder: EventRecorder) {
    this.#client = client;
    this.#recorder = recorder;
  }

  *create(pod: Pod, owner: ApiObject): Task<ApiResult<Pod>> {
    const created = yield* this.#client.resource(PODS).create(pod);
    if (created.ok) this.#recorder.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${created.object.metadata.name ?? ''}`);
    // Nothing can be created in a namespace that goes away: no reason to complain.
    else if (!isNamespaceTerminating(created)) this.#recorder.event(owner, 'Warning', 'FailedCreate', `Error creating: ${created.message}`);
    return created;
  }

  *delete(namespace: string, name: string, owner: ApiObject): Task<ApiFailure | undefined> {
    const deleted = yield* this.#client.resource(PODS).delete(namespace, name);
    if (deleted.ok) {
      this.#recorder.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
      return undefined;
    }
    if (!isNotFound(deleted)) this.#recorder.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${deleted.message}`);
    return deleted;
  }
}
