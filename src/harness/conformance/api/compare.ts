import type { Placeholders } from './placeholders.ts';

/** The first difference between a recorded value and an answer, as a path and both sides; undefined when there is none. */
export function firstDifference(expected: unknown, actual: unknown, placeholders: Placeholders, path = ''): string | undefined {
  if (typeof expected === 'string') {
    if ((typeof actual === 'string' || typeof actual === 'number') && placeholders.matches(expected, actual)) return undefined;
    return differs(path, expected, actual);
  }
  if (typeof expected !== 'object' || expected === null) return expected === actual ? undefined : differs(path, expected, actual);
  if (typeof actual !== 'object' || actual === null) return differs(path, expected, actual);
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return differs(path, expected, actual);
    for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
      if (i >= actual.length) return differs(`${path}[${i}]`, expected[i], undefined);
      if (i >= expected.length) return differs(`${path}[${i}]`, undefined, actual[i]);
      const found = firstDifference(expected[i], actual[i], placeholders, `${path}[${i}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  const left = expected as Readonly<Record<string, unknown>>;
  const right = actual as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(left)) {
    const actualKey = key in right ? key : Object.keys(right).find((k) => !(k in left) && placeholders.matches(key, k));
    if (actualKey === undefined) return differs(`${path}.${key}`, left[key], undefined);
    const found = firstDifference(left[key], right[actualKey], placeholders, `${path}.${key}`);
    if (found !== undefined) return found;
  }
  for (const key of Object.keys(right)) {
    if (key in left || right[key] === undefined) continue;
    if (Object.keys(left).some((k) => k.includes('<') && placeholders.matches(k, key))) continue;
    return differs(`${path}.${key}`, undefined, right[key]);
  }
  return undefined;
}

function differs(path: string, expected: unknown, actual: unknown): string {
  return `${path || '.'}: expected ${short(expected)}, got ${short(actual)}`;
}

function short(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 260 ? `${text.slice(0, 260)}…` : text;
}

type Map = Readonly<Record<string, unknown>>;

/** managedFields in the recordings' fixed order. */
export function sortManagedFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortManagedFields);
  if (typeof value !== 'object' || value === null) return value;
  const out: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) {
    out[key] =
      (key === 'resourceRules' || key === 'nonResourceRules') && Array.isArray(child)
        ? [...child].sort((a, b) => (stable(a) < stable(b) ? -1 : 1))
        : key === 'managedFields' && Array.isArray(child)
          ? [...(child as Map[])].sort(byEntry)
          : sortManagedFields(child);
  }
  return out;
}

/** JSON text with sorted keys. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) =>
    typeof v === 'object' && v !== null && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );
}

function byEntry(a: Map, b: Map): number {
  for (const key of ['operation', 'manager', 'subresource', 'apiVersion']) {
    const left = String(a[key] ?? '');
    const right = String(b[key] ?? '');
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

/** Splits a value into itself without managedFields, and those alone. */
export function withoutManagedFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutManagedFields);
  if (typeof value !== 'object' || value === null) return value;
  const out: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) if (key !== 'managedFields') out[key] = withoutManagedFields(child);
  return out;
}

/** Messages made of Go types or source positions are not compared. */
const unprintable = /scheme "pkg|&core\.|\n@@ |\[\]core\.|v1\.\w+\{|core\.\w+\{/;

/** The stages of comparison that the recordings' README asks for: the first that fails, or undefined. */
export function compareAnswers(expected: unknown, actual: unknown, placeholders: Placeholders): string | undefined {
  const left = expected as Map | undefined;
  const right = actual as Map | undefined;
  if (left?.['kind'] === 'Status' && left['status'] === 'Failure') {
    const skipsMessage = unprintable.test(String(left['message']));
    const strip = (status: Map | undefined): unknown => (skipsMessage ? withoutMessages(status) : status);
    return (
      prefixed('reason', firstDifference(left['reason'], right?.['reason'], placeholders)) ??
      prefixed(
        'details',
        firstDifference(strip(left['details'] as Map | undefined), strip(right?.['details'] as Map | undefined), placeholders),
      ) ??
      prefixed('message', firstDifference(strip(left), strip(right), placeholders))
    );
  }
  const sortedLeft = sortManagedFields(expected);
  const sortedRight = sortManagedFields(onlyRecordedGroups(left, right) ?? actual);
  return (
    prefixed('object', firstDifference(withoutManagedFields(sortedLeft), withoutManagedFields(sortedRight), placeholders)) ??
    prefixed('managedFields', firstDifference(sortedLeft, sortedRight, placeholders))
  );
}

/** Aggregated discovery of suite 80 keeps only the suite's own group. */
function onlyRecordedGroups(left: Map | undefined, right: Map | undefined): Map | undefined {
  if (left?.['kind'] !== 'APIGroupDiscoveryList' || right === undefined) return undefined;
  const names = (list: Map): readonly unknown[] =>
    (list['items'] as readonly { readonly metadata: { readonly name?: string } }[]).map((item) => item.metadata.name);
  const wanted = names(left);
  if (wanted.length !== 1) return undefined;
  return {
    ...right,
    items: (right['items'] as readonly { readonly metadata: { readonly name?: string } }[]).filter((item) =>
      wanted.includes(item.metadata.name),
    ),
  };
}

function withoutMessages(status: Map | undefined): unknown {
  if (status === undefined) return undefined;
  const { message: _, ...rest } = status;
  const causes = rest['causes'] as readonly Map[] | undefined;
  const details = rest['details'] as Map | undefined;
  return {
    ...rest,
    ...(causes === undefined ? {} : { causes: causes.map(({ message: __, ...cause }) => cause) }),
    ...(details === undefined ? {} : { details: withoutMessages(details) }),
  };
}

/** What is compared of an OpenAPI document or of their index (a text): no descriptions, no hashes. A property named `description` stays. */
export function apiStructure(value: unknown): unknown {
  if (typeof value === 'string' && value.startsWith('{')) return apiStructure(JSON.parse(value));
  if (typeof value === 'string') return value.replace(/\?hash=[0-9A-F]+$/, '?hash=');
  if (Array.isArray(value)) return value.map(apiStructure);
  if (typeof value !== 'object' || value === null) return value;
  const out: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) if (key !== 'description' || typeof child !== 'string') out[key] = apiStructure(child);
  return out;
}

function prefixed(stage: string, difference: string | undefined): string | undefined {
  return difference === undefined ? undefined : `${stage} ${difference}`;
}
