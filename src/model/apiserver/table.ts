import type { KindContext, PrinterColumn } from '../api/kind.ts';
import { internalMetadata, scaleColumns, tableRows } from '../api/kinds/table-rows.ts';
import type { ApiObject, UntypedObject } from '../api/object.ts';
import type { ServedKind } from '../api/registry.ts';
import { formatTime, parseTime } from '../api/time.ts';

/** metav1.Table: what `kubectl get` prints. */
export interface Table {
  readonly kind: 'Table';
  readonly apiVersion: string;
  readonly metadata: ApiObject['metadata'];
  readonly columnDefinitions:
    | readonly {
        readonly name: string;
        readonly type: string;
        readonly format: string;
        readonly description: string;
        readonly priority: number;
      }[]
    | null;
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly object?: unknown; readonly conditions?: readonly unknown[] }[];
}

/** metav1.PartialObjectMetadata. */
export function metadataOnly(object: ApiObject, version: string): ApiObject {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata };
}

const nameText =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names';
const createdText =
  'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata';

/** Kinds without columns of their own: upstream defaultTableConvertor. */
const defaultColumns: readonly PrinterColumn<UntypedObject>[] = [
  { name: 'Name', type: 'string', format: 'name', description: nameText, priority: 0, cell: (object) => object.metadata.name ?? '' },
  {
    name: 'Created At',
    type: 'date',
    description: createdText,
    priority: 0,
    cell: (object) => {
      const us = parseTime(object.metadata.creationTimestamp ?? '');
      return us === undefined ? '' : formatTime(us);
    },
  },
];

export interface TableOptions {
  readonly version: string;
  /** '' or 'Metadata', 'Object', 'None'. */
  readonly includeObject: string;
  readonly withColumns: boolean;
}

/** The table of one object or of a list's items. */
export function tableOf(
  kind: ServedKind,
  objects: readonly UntypedObject[],
  metadata: ApiObject['metadata'],
  context: KindContext,
  options: TableOptions,
): Table {
  const isScale = objects[0]?.kind === 'Scale' && kind.kind !== 'Scale';
  const columns = (isScale ? scaleColumns : (kind.columns ?? defaultColumns)) as NonNullable<ServedKind['columns']>;
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${options.version}`,
    metadata,
    columnDefinitions: options.withColumns
      ? columns.map((column) => ({
          name: column.name,
          type: column.type,
          format: column.format ?? '',
          description: column.description ?? '',
          priority: column.priority,
        }))
      : null,
    rows: tableRows(objects).map((object) => {
      const cells = columns.map((column) => column.cell(object, context));
      const conditions = rowConditions(kind, object);
      const shown =
        options.includeObject === 'Object' ? object : metadataOnly({ ...object, metadata: internalMetadata(object) }, options.version);
      return {
        cells,
        ...(conditions === undefined ? {} : { conditions }),
        ...(options.includeObject === 'None' ? { object: null } : { object: shown }),
      };
    }),
  };
}

/** Finished pods are marked, so that clients can leave them out. */
function rowConditions(kind: ServedKind, object: UntypedObject): readonly unknown[] | undefined {
  if (kind.kind !== 'Pod') return undefined;
  const phase = (object['status'] as { readonly phase?: string } | undefined)?.phase;
  if (phase === 'Succeeded')
    return [{ type: 'Completed', status: 'True', reason: 'Succeeded', message: 'The pod has completed successfully.' }];
  if (phase === 'Failed') return [{ type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' }];
  return undefined;
}
