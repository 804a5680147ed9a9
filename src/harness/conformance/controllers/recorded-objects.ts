import type { UntypedObject } from '../../../model/api/object.ts';
import type { Naming } from './naming.ts';
import type { Recording } from './recording.ts';

/** Kinds of which every object must be in the recording. */
export const strictKinds = new Set([
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
  'Pod',
  'EndpointSlice',
  'Endpoints',
  'ControllerRevision',
  'PersistentVolumeClaim',
]);

/** Recordings with very many objects of a kind do not list them. */
export function listsKind(recording: Recording, kind: string, count: number): boolean {
  const prefix = `${kind}/`;
  return (
    count < 30 ||
    Object.keys(recording.stories).some((key) => key.startsWith(prefix)) ||
    Object.keys(recording.outcome).some((key) => key.startsWith(prefix))
  );
}

/** The key under which a recording has an object: those of a second namespace name it. */
export function recordedKey(object: UntypedObject, recording: Recording, naming: Naming): string {
  const { namespace } = object.metadata;
  const elsewhere = namespace !== undefined && namespace !== recording.namespace && namespace.startsWith(recording.namespace);
  return elsewhere ? `${naming.keyOf(object)}@${namespace}` : naming.keyOf(object);
}
