import type { EventRecorder } from '../client/events.ts';
import type { Container, ObjectReference, Pod } from '../api/types.ts';

/** Events about pods and their containers, as the kubelet words their subjects. */
export class PodEvents {
  readonly #recorder: EventRecorder;

  constructor(recorder: EventRecorder) {
    this.#recorder = recorder;
  }

  pod(pod: Pod, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#recorder.event(reference(pod), type, reason, message);
  }

  container(pod: Pod, container: Container, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#recorder.event({ ...reference(pod), fieldPath: fieldPath(pod, container) }, type, reason, message);
  }
}

function reference(pod: Pod): ObjectReference {
  const { name = '', namespace = '', uid = '', resourceVersion = '' } = pod.metadata;
  return { apiVersion: 'v1', kind: 'Pod', namespace, name, uid, resourceVersion };
}

/** Upstream kubecontainer.fieldPath. */
function fieldPath(pod: Pod, container: Container): string {
  const { spec } = pod;
  if (spec.containers.some((other) => other.name === container.name)) return `spec.containers{${container.name}}`;
  if (spec.initContainers?.some((other) => other.name === container.name)) return `spec.initContainers{${container.name}}`;
  return `spec.ephemeralContainers{${container.name}}`;
}
