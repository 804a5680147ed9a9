import type { ScalarType, StructType, TypeRef } from '../../api/schema.ts';
import type { Choices } from './choices.fixture.ts';

const odd = [
  '',
  ' ',
  'a',
  'A',
  'x-',
  '-x',
  'a.b',
  'a/b',
  '../a',
  '..',
  '.',
  '%2e',
  '0',
  '1',
  'true',
  'null',
  '1.5',
  '*',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'é',
  '😀',
  '\ud800',
  '\u0000',
  'a\nb',
  'x'.repeat(64),
  'y'.repeat(254),
  '10.0.0.1',
  '10.0.0.0/24',
  '::1',
  'fd00::/64',
  'example.com',
  'example.com/a',
  'k=v',
  '$(A)',
  'http',
  '2026-01-02T03:04:05Z',
  '1Gi',
  '100%',
  '-1',
] as const; // prettier-ignore

const byField: Readonly<Record<string, readonly string[]>> = {
  name: ['a', 'b', 'c', 'd'],
  namespace: ['default', 'other'],
  image: ['nginx:1', 'busybox', ' x'],
  protocol: ['TCP', 'UDP', 'SCTP'],
  key: ['app', 'k', 'example.com/k'],
  operator: ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt', 'Equal'],
  kind: ['Pod', 'Deployment', 'User', 'Group', 'ServiceAccount', 'Node', 'Secret'],
  apiVersion: ['v1', 'apps/v1', 'v1beta1'],
  mountPath: ['/m', '/n', 'rel'],
  path: ['/p', 'p', '../p'],
  resource: ['limits.cpu', 'requests.memory', 'pods', 'cpu'],
  schedule: ['@hourly', '0 0 * * *', 'x', '* * * * * *'],
  timeZone: ['UTC', 'Europe/Berlin', 'Nowhere/None'],
  clusterIP: ['None', '10.96.0.50', '10.0.0.1', 'x'],
  type: ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName', 'Opaque', 'Normal', 'Ready', 'Resource', 'Pods', 'object', 'string'],
  topologyKey: ['kubernetes.io/hostname', 'zone'],
  expression: ['true', 'self.x', '1 +'],
};

const numbers = [0, 1, -1, 2, 3, 80, 443, 8080, 30000, 65535, 65536, 86400, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 53, 1e21, 1.5] as const;
const quantities = [
  '1',
  '100m',
  '1Gi',
  '0',
  '-1',
  '1e3',
  '0.5',
  '1.',
  'abc',
  '',
  '9999999999999999999',
  '1n',
  '1.5Gi',
  '0.1',
  1,
  1.5,
] as const;
const times = [
  '2026-01-02T03:04:05Z',
  '2026-01-02T03:04:05.123456Z',
  '2026-01-02T03:04:05+02:00',
  '2026-13-02T03:04:05Z',
  'now',
  '',
] as const;
const keys = ['app', 'a', 'b', 'cpu', 'memory', 'pods', 'storage', 'example.com/k', 'requests.cpu', 'count/pods'] as const;

/** A key of a map: mostly one that fits, sometimes any text. */
function mapKey(c: Choices): string {
  return c.oneIn(4) ? c.pick(odd) : c.pick(keys);
}

export function randomText(c: Choices): string {
  return c.pick(odd);
}

/** Any JSON, for fields without a schema and for values of a wrong type. */
export function anyJson(c: Choices, depth = 0): unknown {
  switch (c.below(depth > 2 ? 5 : 8)) {
    case 0:
      return c.pick(odd);
    case 1:
      return c.pick(numbers);
    case 2:
      return c.oneIn(2);
    case 3:
      return null;
    case 4:
      return {};
    case 5:
      return [];
    case 6:
      return Array.from({ length: 1 + c.below(2) }, () => anyJson(c, depth + 1));
    default:
      return ownEntries(Array.from({ length: 1 + c.below(2) }, () => [mapKey(c), anyJson(c, depth + 1)] as const));
  }
}

/** Like JSON.parse, and unlike an assignment, this makes a member of its own of the key __proto__. */
function ownEntries(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return Object.fromEntries(entries);
}

function scalarValue(c: Choices, type: ScalarType, field: string): unknown {
  switch (type.scalar) {
    case 'string': {
      if (type.values !== undefined && type.values.length > 0 && !c.oneIn(8)) return c.pickAny(type.values);
      const known = byField[field];
      return known !== undefined && !c.oneIn(4) ? c.pickAny(known) : c.pick(odd);
    }
    case 'int32':
    case 'int64':
    case 'number':
      return c.pick(numbers);
    case 'boolean':
      return c.oneIn(2);
    case 'bytes':
      return c.pick(['dg==', '', 'AAEC', '!', 'a']);
    case 'time':
    case 'microTime':
      return c.pick(times);
    case 'quantity':
      return c.pick(quantities);
    case 'intOrString':
      return c.oneIn(2) ? c.pick(['25%', '100%', '101%', 'http', '-1%', '', 'a%']) : c.pick(numbers);
    case 'any':
      return anyJson(c);
  }
}

/** A value of a type: the plainest when nothing is left to decide, now and then one of a wrong type. */
export function valueOfType(c: Choices, type: TypeRef, field: string, depth = 0): unknown {
  if (c.oneIn(24)) return anyJson(c);
  switch (type.kind) {
    case 'scalar':
      return scalarValue(c, type, field);
    case 'list': {
      if (depth > 5) return [];
      return Array.from({ length: c.below(3) }, () => valueOfType(c, type.element, field, depth + 1));
    }
    case 'map': {
      if (depth > 5) return {};
      return ownEntries(Array.from({ length: c.below(3) }, () => [mapKey(c), valueOfType(c, type.value, field, depth + 1)] as const));
    }
    case 'struct':
      return depth > 5 ? {} : structOf(c, type, depth + 1);
  }
}

/** A struct with what it requires and a few of its other fields. */
function structOf(c: Choices, type: StructType, depth: number): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const name of type.required) {
    const field = type.fields.get(name);
    if (field !== undefined && !c.oneIn(12)) made[name] = valueOfType(c, field.type, name, depth);
  }
  const names = [...type.fields.keys()];
  for (let left = c.below(3); left > 0; left--) {
    const field = type.fields.get(c.pickAny(names) ?? '');
    if (field !== undefined) made[field.name] = valueOfType(c, field.type, field.name, depth);
  }
  return made;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Status is written through its own subresource; touching it elsewhere finds nothing. */
function mutableField(c: Choices, value: Readonly<Record<string, unknown>>, type: StructType): string {
  const present = Object.keys(value).filter((name) => type.fields.has(name));
  if (present.length > 0 && !c.oneIn(3)) return c.pickAny(present) ?? '';
  return c.pickAny([...type.fields.keys()]) ?? '';
}

/** The value with one place changed: a field set, replaced, removed, nulled, or one that nobody knows. */
export function mutate(c: Choices, value: unknown, type: TypeRef, field = '', depth = 0): unknown {
  if (c.oneIn(30)) return anyJson(c);
  if (type.kind === 'struct' && isMap(value)) {
    if (c.oneIn(40)) return { ...value, ...ownEntries([[c.pick(odd), anyJson(c)]]) };
    const name = mutableField(c, value, type);
    const inner = type.fields.get(name);
    if (inner === undefined) return value;
    if (name in value && c.oneIn(10)) {
      const { [name]: _, ...rest } = value;
      return rest;
    }
    if (name in value && c.oneIn(16)) return { ...value, [name]: null };
    const goDeeper = name in value && depth < 9 && (inner.type.kind !== 'scalar' || typeof value[name] === 'object');
    return { ...value, [name]: goDeeper ? mutate(c, value[name], inner.type, name, depth + 1) : valueOfType(c, inner.type, name) };
  }
  if (type.kind === 'list' && Array.isArray(value)) {
    const at = c.below(value.length + 1);
    if (at === value.length) return [...value, c.oneIn(3) && at > 0 ? value[0] : valueOfType(c, type.element, field)];
    if (c.oneIn(8)) return value.filter((_, i) => i !== at);
    return value.map((item, i) => (i === at ? mutate(c, item, type.element, field, depth + 1) : item));
  }
  if (type.kind === 'map' && isMap(value)) {
    const present = Object.keys(value);
    if (present.length > 0 && c.oneIn(3)) {
      const name = c.pickAny(present) ?? '';
      return { ...value, ...ownEntries([[name, mutate(c, value[name], type.value, name, depth + 1)]]) };
    }
    return { ...value, ...ownEntries([[mapKey(c), valueOfType(c, type.value, field)]]) };
  }
  return valueOfType(c, type, field);
}
