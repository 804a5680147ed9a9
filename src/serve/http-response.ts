import { type ScalarTag, stringify, type Tags } from 'yaml';
import type { KindContext } from '../model/api/kind.ts';
import type { ApiList, ApiObject, Status, UntypedObject } from '../model/api/object.ts';
import type { ServedKind } from '../model/api/registry.ts';
import { badRequest, notAcceptable } from '../model/api/status.ts';
import { metadataOnly, tableOf } from '../model/apiserver/table.ts';

/** How a client wants its answer. */
export interface Representation {
  readonly format: 'json' | 'yaml';
  /** Another shape than the object's own. */
  readonly as?: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
  /** Version of meta.k8s.io. */
  readonly version: string;
}

const jsonTypes = new Set(['*/*', 'application/*', 'application/json']);
const shapes: Readonly<Record<string, readonly string[]>> = {
  Table: ['v1', 'v1beta1'],
  PartialObjectMetadata: ['v1', 'v1beta1'],
  PartialObjectMetadataList: ['v1', 'v1beta1'],
};

/** Upstream `endpoints/handlers/negotiation`. A Status says that nothing fits. */
export function negotiate(accept: string | undefined, streams: boolean): Representation | Status {
  if (accept === undefined || accept === '') return { format: 'json', version: 'v1' };
  let sawType = false;
  for (const clause of clausesOf(accept)) {
    const isYaml = clause.type === 'application/yaml';
    if (!isYaml && !jsonTypes.has(clause.type)) continue;
    sawType = true;
    const { as, v = '', g } = clause.parameters;
    if (as === undefined) return { format: isYaml ? 'yaml' : 'json', version: 'v1' };
    if (g === 'meta.k8s.io' && shapes[as]?.includes(v))
      return { format: isYaml ? 'yaml' : 'json', as: as as NonNullable<Representation['as']>, version: v };
  }
  if (sawType)
    return notAcceptable(
      'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    );
  const available = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
  if (streams) available.push('application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch');
  return { ...notAcceptable(`406: Not Acceptable\n\nAvailable representations: ${available.join(', ')}`), details: {} };
}

interface Clause {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly q: number;
}

function clausesOf(accept: string): readonly Clause[] {
  return accept
    .split(',')
    .map((text, i) => {
      const [type = '', ...rest] = text.trim().split(';');
      const parameters: Record<string, string> = {};
      for (const pair of rest) {
        const [key = '', value = ''] = pair.trim().split('=');
        parameters[key] = value;
      }
      return { type: type.trim(), parameters, q: Number(parameters['q'] ?? '1'), i };
    })
    .sort((a, b) => b.q - a.q || a.i - b.i);
}

/** Shapes an answer as the client asked. Failures are answered as they are. */
export function shape(
  object: ApiObject | Status | ApiList | { readonly kind: string },
  representation: Representation,
  kind: ServedKind | undefined,
  context: KindContext,
  includeObject = '',
  withColumns = true,
): unknown {
  if (object.kind === 'Status') return object;
  const isList = 'items' in object && kind !== undefined && object.kind === `${kind.kind}List`;
  if (kind === undefined || representation.as === undefined) {
    if (!isList) return object;
    const list = object as unknown as ApiList;
    // Lists of custom resources are unstructured: their items keep kind and apiVersion, and an empty continue is printed.
    return kind?.custom === undefined ? withoutTypes(list) : { ...list, metadata: { continue: '', ...list.metadata } };
  }
  const { version } = representation;
  const goType = `*${kind.group === '' ? 'core' : (kind.group.split('.')[0] ?? '')}.${kind.kind}`;
  switch (representation.as) {
    case 'Table': {
      if (!['', 'Metadata', 'Object', 'None'].includes(includeObject)) {
        return badRequest(
          `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(includeObject)}: must be 'Metadata', 'Object', 'None', or empty`,
        );
      }
      const items = isList ? ((object as unknown as ApiList).items as readonly UntypedObject[]) : [object as UntypedObject];
      const { metadata: own } = object as unknown as ApiObject;
      const metadata = isList ? own : own.resourceVersion === undefined ? {} : { resourceVersion: own.resourceVersion };
      return tableOf(kind, items, metadata, context, { version, includeObject, withColumns });
    }
    case 'PartialObjectMetadata':
      if (isList) return notAcceptable(`you requested PartialObjectMetadata, but the requested object is a list (${goType}List)`);
      return metadataOnly(object as ApiObject, version);
    case 'PartialObjectMetadataList': {
      if (!isList) return notAcceptable(`you requested PartialObjectMetadataList, but the requested object is not a list (${goType})`);
      const list = object as unknown as ApiList;
      return {
        kind: 'PartialObjectMetadataList',
        apiVersion: `meta.k8s.io/${version}`,
        metadata: list.metadata,
        // An empty list of metadata is a nil slice in Go.
        items: list.items.length === 0 ? null : list.items.map((item) => metadataOnly(item, version)),
      };
    }
  }
}

/** Items of a built-in list carry no kind and apiVersion on the wire. */
function withoutTypes(list: ApiList): unknown {
  return {
    ...list,
    items: list.items.map((item) => {
      const { kind: _k, apiVersion: _v, ...rest } = item;
      return rest;
    }),
  };
}

/** YAML 1.1 as Go's library writes it: a lone dot is no number there and needs no quotes. */
const goTags = (tags: Tags): Tags =>
  tags.map((tag) =>
    typeof tag === 'object' && tag.tag === 'tag:yaml.org,2002:float' && (tag as ScalarTag).test?.test('.') === true
      ? { ...(tag as ScalarTag), test: /^[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9_]+)$/ }
      : tag,
  );

/** The text of a body. */
export function renderBody(body: unknown, format: Representation['format']): string {
  if (format === 'json') return `${JSON.stringify(body)}\n`;
  return stringify(body, {
    sortMapEntries: true,
    indentSeq: false,
    lineWidth: 0,
    version: '1.1',
    aliasDuplicateObjects: false,
    customTags: goTags,
  });
}
