/** Static types of CEL expressions: cel-go's common/types, as far as Kubernetes uses them. */
export type CelType = DynType | SimpleType | ListType | MapType | OpaqueType | ObjectType | TypeType | ParamType;

interface DynType {
  readonly kind: 'dyn';
}

export interface SimpleType {
  readonly kind: 'simple';
  readonly name: 'bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'null_type' | 'timestamp' | 'duration';
}

export interface ListType {
  readonly kind: 'list';
  readonly element: CelType;
  /** Of the lists of custom resources: how items are told apart, whole or by some keys. Equality then does not mind the order. */
  readonly items?: 'set' | readonly string[];
}

export interface MapType {
  readonly kind: 'map';
  readonly key: CelType;
  readonly value: CelType;
}

/** A type that only its own functions know, such as kubernetes.Quantity or optional_type(A). */
export interface OpaqueType {
  readonly kind: 'opaque';
  readonly name: string;
  readonly parameters: readonly CelType[];
}

export interface ObjectField {
  readonly type: CelType;
  /** The name in the JSON, from which the name in CEL may differ (`a-b` is `a__dash__b`). */
  readonly property: string;
}

export interface ObjectType {
  readonly kind: 'object';
  readonly name: string;
  readonly fields: ReadonlyMap<string, ObjectField>;
}

interface TypeType {
  readonly kind: 'type';
}

/** A type parameter of a function's declaration, or a variable that stands for it in one call. */
interface ParamType {
  readonly kind: 'param';
  readonly name: string;
}

export const dyn: CelType = { kind: 'dyn' };
export const bool: CelType = { kind: 'simple', name: 'bool' };
export const int: CelType = { kind: 'simple', name: 'int' };
export const uint: CelType = { kind: 'simple', name: 'uint' };
export const double: CelType = { kind: 'simple', name: 'double' };
export const string: CelType = { kind: 'simple', name: 'string' };
export const bytes: CelType = { kind: 'simple', name: 'bytes' };
export const nullType: CelType = { kind: 'simple', name: 'null_type' };
export const timestamp: CelType = { kind: 'simple', name: 'timestamp' };
export const duration: CelType = { kind: 'simple', name: 'duration' };
export const typeType: CelType = { kind: 'type' };

export function list(element: CelType, items?: ListType['items']): ListType {
  return items === undefined ? { kind: 'list', element } : { kind: 'list', element, items };
}

export function map(key: CelType, value: CelType): MapType {
  return { kind: 'map', key, value };
}

export function opaque(name: string, ...parameters: readonly CelType[]): OpaqueType {
  return { kind: 'opaque', name, parameters };
}

export function optional(of: CelType): OpaqueType {
  return opaque('optional_type', of);
}

export function isOptional(type: CelType): type is OpaqueType {
  return type.kind === 'opaque' && type.name === 'optional_type';
}

/** A struct type from plain fields whose names need no escape. */
export function object(name: string, fields: Readonly<Record<string, CelType>>): ObjectType {
  return { kind: 'object', name, fields: new Map(Object.entries(fields).map(([property, type]) => [property, { type, property }])) };
}

/** The name of a type as error messages have it: cel-go's FormatCELType. */
export function typeText(type: CelType): string {
  switch (type.kind) {
    case 'dyn':
      return 'dyn';
    case 'simple':
      return type.name === 'null_type' ? 'null' : type.name;
    case 'list':
      return `list(${typeText(type.element)})`;
    case 'map':
      return `map(${typeText(type.key)}, ${typeText(type.value)})`;
    case 'opaque':
      return type.parameters.length === 0 ? type.name : `${type.name}(${type.parameters.map(typeText).join(', ')})`;
    case 'object':
    case 'param':
      return type.name;
    case 'type':
      return 'type';
  }
}

/** The name as Go prints the type itself, which knows timestamps and durations by their protobuf names. */
export function goTypeText(type: CelType): string {
  if (type.kind !== 'simple') return typeText(type);
  if (type.name === 'timestamp') return 'google.protobuf.Timestamp';
  if (type.name === 'duration') return 'google.protobuf.Duration';
  return type.name;
}

export function sameType(a: CelType, b: CelType): boolean {
  if (a === b) return true;
  switch (a.kind) {
    case 'dyn':
    case 'type':
      return b.kind === a.kind;
    case 'simple':
    case 'object':
    case 'param':
      return b.kind === a.kind && b.name === a.name;
    case 'list':
      return b.kind === 'list' && sameType(a.element, b.element);
    case 'map':
      return b.kind === 'map' && sameType(a.key, b.key) && sameType(a.value, b.value);
    case 'opaque':
      return b.kind === 'opaque' && b.name === a.name && a.parameters.every((type, i) => sameType(type, b.parameters[i] ?? dyn));
  }
}

/** The types that a type is made of. */
export function partsOf(type: CelType): readonly CelType[] {
  switch (type.kind) {
    case 'list':
      return [type.element];
    case 'map':
      return [type.key, type.value];
    case 'opaque':
      return type.parameters;
    default:
      return [];
  }
}

/** The same type around other parts. */
export function withParts(type: CelType, parts: readonly CelType[]): CelType {
  switch (type.kind) {
    case 'list':
      return { ...type, element: parts[0] ?? dyn };
    case 'map':
      return { ...type, key: parts[0] ?? dyn, value: parts[1] ?? dyn };
    case 'opaque':
      return { ...type, parameters: parts };
    default:
      return type;
  }
}
