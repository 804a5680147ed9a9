import type { UntypedObject } from '../../api/object.ts';
import recorded from '../generated/bootstrap.json' with { type: 'json' };

/** A configuration object that every server makes sure of. */
export interface FlowObject {
  readonly resource: string;
  readonly object: UntypedObject;
}

function without(object: UntypedObject): UntypedObject {
  const { name, annotations } = object.metadata;
  const { apiVersion, kind } = object;
  return { apiVersion, kind, metadata: { name: name ?? '', ...(annotations === undefined ? {} : { annotations }) }, spec: object['spec'] };
}

/** Upstream bootstrap.MandatoryObjects and SuggestedObjects, as a fresh cluster was recorded to hold them: levels before the schemas that lead to them. */
export const flowBootstrap: readonly FlowObject[] = ['prioritylevelconfigurations', 'flowschemas'].flatMap((wanted) =>
  (recorded as unknown as readonly FlowObject[])
    .filter(({ resource }) => resource === wanted)
    .map(({ resource, object }) => ({ resource, object: without(object) })),
);
