/**
 * The structural facts of every built-in type, linked from `generated/schema.json`: the one source of unknown-field detection,
 * decoding, strategic merge and server-side apply.
 */
import generated from './generated/schema.json' with { type: 'json' };
import { isGranular, keepsZero, neverOmitted, omitsEmpty, printsZero } from './wire-facts.ts';

export type Scalar =
  | 'string'
  | 'int32'
  | 'int64'
  | 'number'
  | 'boolean'
  | 'bytes'
  | 'time'
  | 'microTime'
  | 'quantity'
  | 'intOrString'
  | 'any';

export interface StructType {
  readonly kind: 'struct';
  readonly name: string;
  readonly fields: ReadonlyMap<string, FieldType>;
  readonly required: readonly string[];
  /** Fields that the server prints even when empty. */
  readonly always: readonly FieldType[];
  /** Owned as a whole by server-side apply. */
  readonly atomic: boolean;
  /** Each: the discriminator (or '') and the fields of a union. */
  readonly unions: readonly (readonly string[])[];
}

export interface ScalarType {
  readonly kind: 'scalar';
  readonly scalar: Scalar;
  readonly values?: readonly string[];
}

export interface ListType {
  readonly kind: 'list';
  readonly element: TypeRef;
  readonly listType: 'atomic' | 'set' | 'map';
  /** Keys of a list of type map. */
  readonly keys: readonly string[];
  /** Strategic merge patch: the key by which elements are matched, if the strategy merges. */
  readonly mergeKey: string | undefined;
}

export interface MapType {
  readonly kind: 'map';
  /** A value without a schema: what is no map is owned as a whole. */
  readonly deduced?: true;
  readonly value: TypeRef;
  readonly atomic: boolean;
}

export type TypeRef = StructType | ScalarType | ListType | MapType;

export interface FieldType {
  readonly name: string;
  /** Its path element in managedFields: 'f:name'. */
  readonly element: string;
  readonly type: TypeRef;
  /** This reference owns its struct as a whole (x-kubernetes-map-type: atomic at the field). */
  readonly atomic: boolean;
  /** This reference divides a struct that is owned as a whole elsewhere (structType=granular). */
  readonly granular?: true;
  /** x-kubernetes-patch-strategy: merge, retainKeys, replace. */
  readonly strategies: readonly string[];
  /** What an absent value decodes to, when the server prints it even so: '' or 0 or false or null or an empty struct. */
  readonly zero: 'omit' | 'struct' | 'null' | 'scalar';
  /** A zero scalar is dropped on decoding, because the Go field is no pointer and has omitempty. */
  readonly dropZero: boolean;
  /** An empty list or map is dropped. */
  readonly dropEmpty: boolean;
}

type Compact =
  | string
  | { e: string[] }
  | { l: Compact; t?: string; k?: string[]; mk?: string; ps?: string }
  | { m: Compact; a?: 1; ps?: string }
  | { r: string; a?: 1; ps?: string };
interface CompactStruct {
  readonly p: Readonly<Record<string, Compact>>;
  readonly r?: readonly string[];
  readonly z?: readonly string[];
  readonly a?: 1;
  readonly u?: readonly (readonly string[])[];
}

const types = generated.types as unknown as Readonly<Record<string, CompactStruct>>;
const kinds = generated.kinds as Readonly<Record<string, string>>;
const linked = new Map<string, StructType>();

const scalarTypes = new Map<string, ScalarType>();
function scalarType(scalar: string): ScalarType {
  let type = scalarTypes.get(scalar);
  if (type === undefined) {
    type = { kind: 'scalar', scalar: scalar as Scalar };
    scalarTypes.set(scalar, type);
  }
  return type;
}

function link(compact: Compact): TypeRef {
  if (typeof compact === 'string') return scalarType(compact);
  if ('e' in compact) return { kind: 'scalar', scalar: 'string', values: compact.e };
  if ('l' in compact) {
    return {
      kind: 'list',
      element: link(compact.l),
      listType: (compact.t ?? 'atomic') as ListType['listType'],
      keys: compact.k ?? [],
      mergeKey: compact.ps?.includes('merge') ? (compact.mk ?? '') : undefined,
    };
  }
  if ('m' in compact) return { kind: 'map', value: link(compact.m), atomic: compact.a === 1 };
  return structType(compact.r);
}

/** A struct by its short name. */
export function structType(name: string): StructType {
  const known = linked.get(name);
  if (known !== undefined) return known;
  const compact = types[name];
  if (compact === undefined) throw new Error(`schema: no type ${name}`);
  const fields = new Map<string, FieldType>();
  const always: FieldType[] = [];
  const type: StructType = {
    kind: 'struct',
    name,
    fields,
    required: compact.r ?? [],
    always,
    atomic: compact.a === 1,
    unions: compact.u ?? [],
  };
  linked.set(name, type);
  const printed = new Set(compact.z ?? []);
  for (const [field, encoded] of Object.entries(compact.p)) {
    const target = link(encoded);
    const forced = neverOmitted(name, field, target.kind === 'scalar' && (target.scalar === 'time' || target.scalar === 'microTime'));
    const zero = forced
      ? 'null'
      : !(printed.has(field) || printsZero(name, field)) || omitsEmpty(name, field)
        ? 'omit'
        : target.kind === 'struct'
          ? 'struct'
          : target.kind === 'scalar'
            ? 'scalar'
            : 'omit';
    const reference = typeof encoded === 'object' && 'r' in encoded ? encoded : undefined;
    const strategy = typeof encoded === 'object' && 'ps' in encoded ? encoded.ps : undefined;
    const made: FieldType = {
      name: field,
      element: `f:${field}`,
      type: target,
      atomic: reference?.a === 1,
      ...(isGranular(name, field) ? { granular: true as const } : {}),
      strategies: strategy === undefined ? [] : strategy.split(','),
      zero,
      dropZero:
        target.kind === 'scalar' &&
        zero === 'omit' &&
        target.scalar !== 'any' &&
        target.scalar !== 'quantity' &&
        target.scalar !== 'intOrString' &&
        !keepsZero(name, field, target.scalar === 'string'),
      dropEmpty: (target.kind === 'list' || target.kind === 'map') && !forced,
    };
    fields.set(field, made);
    if (zero !== 'omit') always.push(made);
  }
  return type;
}

/** The struct of a kind, or undefined where it is not built in. */
export function typeOfKind(group: string, version: string, kind: string): StructType | undefined {
  const name = kinds[`${group}/${version}/${kind}`];
  return name === undefined ? undefined : structType(name);
}

const zeros = new WeakMap<StructType, object>();

/** The Go zero value of a field that is always printed. */
export function zeroOf(field: FieldType): unknown {
  if (field.zero === 'null') return null;
  const type = field.type;
  if (type.kind === 'struct') return zeroObject(type);
  if (type.kind === 'scalar') return zeroScalar(type.scalar);
  return undefined;
}

/** A struct with nothing set, as the server prints it. */
export function zeroObject(type: StructType): object {
  const known = zeros.get(type);
  if (known !== undefined) return known;
  const made: Record<string, unknown> = {};
  zeros.set(type, made);
  for (const field of type.always) made[field.name] = zeroOf(field);
  return made;
}

function zeroScalar(scalar: Scalar): unknown {
  switch (scalar) {
    case 'boolean':
      return false;
    case 'quantity':
      return '0';
    case 'string':
    case 'bytes':
      return '';
    default:
      return 0;
  }
}
