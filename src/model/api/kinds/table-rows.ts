import { without } from '../defaults/missing.ts';
import type { PrinterColumn } from '../kind.ts';
import type { ObjectMeta, UntypedObject } from '../object.ts';
import type { FlowSchema, Scale } from '../types.ts';
import { age, columnsWithoutName } from './columns.ts';

/**
 * What tables of some kinds do differently: they are printed from the internal form of the objects.
 * Upstream: pkg/printers/internalversion/printers.go and the internal types of pkg/apis.
 */
function byPrecedence(a: UntypedObject, b: UntypedObject): number {
  const [left, right] = [a as unknown as FlowSchema, b as unknown as FlowSchema];
  const difference = (left.spec?.matchingPrecedence ?? 0) - (right.spec?.matchingPrecedence ?? 0);
  return difference !== 0 ? difference : (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
}

/** The rows of a table in the order in which they are printed: flow schemas by precedence. */
export function tableRows(objects: readonly UntypedObject[]): readonly UntypedObject[] {
  return objects.length > 1 && objects[0]?.kind === 'FlowSchema' ? [...objects].sort(byPrecedence) : objects;
}

/** Annotations that hold what the internal form has fields for, by kind. */
const fieldAnnotations: Readonly<Record<string, (key: string) => boolean>> = {
  DaemonSet: (key) => key === 'deprecated.daemonset.template.generation',
  HorizontalPodAutoscaler: (key) => key.startsWith('autoscaling.alpha.kubernetes.io/'),
};

/** The metadata of the internal form. */
export function internalMetadata(object: UntypedObject): ObjectMeta {
  const { metadata } = object;
  const isField = fieldAnnotations[object.kind];
  const { annotations } = metadata;
  if (isField === undefined || annotations === undefined || !Object.keys(annotations).some(isField)) return metadata;
  const left = Object.entries(annotations).filter(([key]) => !isField(key));
  return left.length === 0 ? without(metadata, 'annotations') : { ...metadata, annotations: Object.fromEntries(left) };
}

/** The table of a scale subresource. */
export const scaleColumns: readonly PrinterColumn<Scale>[] = columnsWithoutName<Scale>('scales', [
  ['Name', 'string', ({ metadata }) => metadata.name ?? ''],
  ['Desired', 'integer', ({ spec }) => spec?.replicas ?? 0],
  ['Available', 'integer', ({ status }) => status?.replicas ?? 0],
  age(),
]);
