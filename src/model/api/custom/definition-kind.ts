import type { UntypedObject } from '../object.ts';
import type { CustomResourceDefinition } from '../types.ts';
import type { Kind } from '../kind.ts';
import { resourceRows } from '../resource-rows.ts';
import { checkApproval, checkDefinition, checkDefinitionUpdate, checkStoredVersions } from './definition-validation.ts';
import { type FieldErrors, invalid } from '../validation/field-errors.ts';
import { checkMetadata, checkMetadataUpdate } from '../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../validation/names.ts';

const rule = { namespaced: false, name: nameIsDnsSubdomain };

/** apiextensions/v1 defaults.go. */
function setDefaults(object: UntypedObject): UntypedObject {
  const definition = object as unknown as CustomResourceDefinition;
  const { spec } = definition;
  if (spec?.names === undefined) return object;
  const singular = spec.names.singular ?? (spec.names.kind ?? '').toLowerCase();
  const listKind = spec.names.listKind ?? (spec.names.kind ? `${spec.names.kind}List` : undefined);
  if (spec.names.singular !== undefined && spec.names.listKind !== undefined && spec.conversion !== undefined) return object;
  return {
    ...definition,
    spec: {
      ...spec,
      names: { ...spec.names, ...(singular === '' ? {} : { singular }), ...(listKind === undefined ? {} : { listKind }) },
      conversion: spec.conversion ?? { strategy: 'None' },
    },
  } as unknown as UntypedObject;
}

function validate(object: UntypedObject): FieldErrors {
  const out: FieldErrors = [];
  checkMetadata(object.metadata, rule, out);
  const definition = object as unknown as CustomResourceDefinition;
  const wanted = `${definition.spec?.names?.plural ?? ''}.${definition.spec?.group ?? ''}`;
  if (definition.metadata.name !== wanted)
    out.push(invalid('metadata.name', definition.metadata.name ?? '', 'must be spec.names.plural+"."+spec.group'));
  checkDefinition(definition, out);
  checkStoredVersions(definition, out);
  checkApproval(definition, out);
  return out;
}

/** The versions in which objects may lie in storage: those that ever were the storage version. */
function storedVersions(next: CustomResourceDefinition, previous: CustomResourceDefinition | undefined): readonly string[] {
  const before = previous?.status?.storedVersions ?? [];
  const now = next.spec.versions?.find((version) => version.storage)?.name;
  return now === undefined || before.includes(now) ? before : [...before, now];
}

/** CustomResourceDefinition: defaults and strategy; the schema's own validity is not examined. */
export const customResourceDefinition: Kind = {
  ...(resourceRows.find((row) => row.resource === 'customresourcedefinitions') as Kind),
  setDefaults: (object) => setDefaults(object as UntypedObject),
  prepareForCreate: (object) => {
    const status = {
      conditions: null,
      acceptedNames: { plural: '', kind: '' },
      storedVersions: storedVersions(object as unknown as CustomResourceDefinition, undefined),
    };
    return { ...object, status } as unknown as UntypedObject;
  },
  prepareForUpdate: (next, previous) => {
    const status = {
      ...(previous['status'] as object),
      storedVersions: storedVersions(next as unknown as CustomResourceDefinition, previous as unknown as CustomResourceDefinition),
    };
    return { ...next, status } as UntypedObject;
  },
  prepareForStatusUpdate: (next, previous) =>
    ({ ...previous, metadata: { ...previous.metadata, ...next.metadata }, status: next['status'] }) as UntypedObject,
  validate: (object) => validate(object as UntypedObject),
  validateUpdate: (next, previous) => {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    const definition = next as unknown as CustomResourceDefinition;
    checkDefinition(definition, out);
    checkDefinitionUpdate(definition, previous as unknown as CustomResourceDefinition, out);
    checkStoredVersions(definition, out);
    return out;
  },
  columns: [
    {
      name: 'Name',
      type: 'string',
      format: 'name',
      description:
        'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names',
      priority: 0,
      cell: (object) => object.metadata.name ?? '',
    },
    {
      name: 'Created At',
      type: 'date',
      description:
        'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata',
      priority: 0,
      cell: (object) => object.metadata.creationTimestamp ?? '',
    },
  ],
};
