import { EtcdError } from '../../../model/etcd/errors.ts';
import type { JsonNode, Place } from './json-text.ts';

/** How a field of a message is read from JSON. */
export type FieldType =
  | 'bytes'
  | 'string'
  | 'bool'
  | 'int64'
  | { readonly enumeration: readonly string[] }
  | { readonly message: string }
  | { readonly repeated: 'string' | { readonly message: string } | { readonly enumeration: readonly string[] } };

/** A message type: fields by their protobuf name, and which of them exclude each other. */
export interface MessageType {
  readonly fields: { readonly [name: string]: FieldType };
  readonly oneof?: { readonly name: string; readonly fields: readonly string[] };
}

/** A decoded message: fields by protobuf name; int64 as bigint, enumerations by name or number, bytes as Latin-1 text. */
export type Message = { readonly [field: string]: unknown };

/** Decodes a JSON value as grpc-gateway's protojson does: unknown fields and unknown enum names are ignored, wrong types refused. */
export function decodeMessage(
  types: { readonly [name: string]: MessageType },
  typeName: string,
  node: JsonNode,
  decodeBytes: (text: string) => string | undefined,
): Message {
  const type = types[typeName];
  if (type === undefined) throw new Error(`proto-json: no message type ${typeName}`);
  if (node.kind !== 'object') throw refusal(node.at, `syntax error: unexpected token ${node.text}`);
  const message: { [field: string]: unknown } = {};
  let chosen: string | undefined;
  for (const { name: given, at, value } of node.members) {
    const name = Object.keys(type.fields).find((field) => field === given || camelCase(field) === given);
    if (name === undefined || (value.kind === 'literal' && value.value === null)) continue;
    if (type.oneof?.fields.includes(name) === true) {
      if (chosen !== undefined) {
        throw refusal(at, `error parsing "${given}", oneof etcdserverpb.${typeName}.${type.oneof.name} is already set`);
      }
      chosen = name;
    }
    const decoded = decodeField(types, type.fields[name] as FieldType, name, value, decodeBytes);
    if (decoded !== undefined) message[name] = decoded;
  }
  return message;
}

function decodeField(
  types: { readonly [name: string]: MessageType },
  type: FieldType,
  name: string,
  node: JsonNode,
  decodeBytes: (text: string) => string | undefined,
): unknown {
  if (typeof type === 'object' && 'repeated' in type) {
    if (node.kind !== 'array') throw refusal(node.at, `syntax error: unexpected token ${node.text}`);
    const { repeated } = type;
    const values = node.items.map((item) => decodeField(types, repeated, name, item, decodeBytes));
    return values.filter((value) => value !== undefined);
  }
  if (typeof type === 'object' && 'message' in type) return decodeMessage(types, type.message, node, decodeBytes);
  if (typeof type === 'object') {
    if (node.kind === 'number') return type.enumeration[Number(node.value)] ?? Number(node.value);
    if (node.kind === 'string') return type.enumeration.includes(node.value) ? node.value : undefined;
    throw wrong('enum', name, node);
  }
  switch (type) {
    case 'bytes': {
      const bytes = node.kind === 'string' ? decodeBytes(node.value) : undefined;
      if (bytes === undefined) throw wrong('bytes', name, node);
      return bytes;
    }
    case 'string':
      if (node.kind !== 'string') throw wrong('string', name, node);
      return node.value;
    case 'bool':
      if (node.kind !== 'literal' || node.value === null) throw wrong('bool', name, node);
      return node.value;
    case 'int64': {
      const text = node.kind === 'number' || node.kind === 'string' ? node.value : '';
      if (!/^-?\d+$/.test(text)) throw wrong('int64', name, node);
      const value = BigInt(text);
      // Ids of members are uint64 on the wire.
      if (value !== BigInt.asIntN(64, value) && value !== BigInt.asUintN(64, value)) throw wrong('int64', name, node);
      return value;
    }
  }
}

function wrong(type: string, name: string, node: JsonNode): EtcdError {
  return refusal(node.at, `invalid value for ${type} field ${camelCase(name)}: ${node.text}`);
}

/** protobuf-go puts a no-break space behind its prefix in some builds, so that nobody relies on the text; the recorded one does. */
function refusal(at: Place, text: string): EtcdError {
  return new EtcdError('other', 3, `proto:\u00a0(line ${at.line}:${at.column}): ${text}`);
}

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Standard or URL-safe base64 with or without padding, to Latin-1 text; undefined if it is neither. */
export function decodeBase64(text: string): string | undefined {
  const plain = text.replace(/-/g, '+').replace(/_/g, '/').replace(/=+$/, '');
  if (!/^[A-Za-z0-9+/]*$/.test(plain) || plain.length % 4 === 1) return undefined;
  return Buffer.from(plain, 'base64').toString('latin1');
}
