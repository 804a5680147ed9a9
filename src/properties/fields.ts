/** Reads of committed objects by path: properties know the wire format, not the model's types. */

/** What stands at the path; undefined where a step is missing. */
export function field(object: unknown, ...path: readonly (string | number)[]): unknown {
  let value = object;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

/** The text at the path, or ''. */
export function text(object: unknown, ...path: readonly (string | number)[]): string {
  const value = field(object, ...path);
  return typeof value === 'string' ? value : '';
}

/** The number at the path, or `fallback`. */
export function number(object: unknown, fallback: number, ...path: readonly (string | number)[]): number {
  const value = field(object, ...path);
  return typeof value === 'number' ? value : fallback;
}

/** The list at the path, or an empty one. */
export function list(object: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const value = field(object, ...path);
  return Array.isArray(value) ? value : [];
}

/** Uid of the controller that owns the object, or ''. */
export function controllerUid(object: unknown): string {
  const owner = list(object, 'metadata', 'ownerReferences').find((reference) => field(reference, 'controller') === true);
  return text(owner, 'uid');
}

/** `namespace/name`. */
export function keyOf(object: unknown): string {
  return `${text(object, 'metadata', 'namespace')}/${text(object, 'metadata', 'name')}`;
}

/** True when the object's labels hold all of the selector's. */
export function matchesLabels(selector: unknown, object: unknown): boolean {
  if (typeof selector !== 'object' || selector === null) return false;
  const labels = field(object, 'metadata', 'labels');
  return Object.entries(selector).every(([name, value]) => field(labels, name) === value);
}

/** The status of a condition, or ''. */
export function condition(object: unknown, type: string): string {
  return text(
    list(object, 'status', 'conditions').find((c) => text(c, 'type') === type),
    'status',
  );
}

/** A pod that has ended for good. */
export function isTerminal(pod: unknown): boolean {
  const phase = text(pod, 'status', 'phase');
  return phase === 'Succeeded' || phase === 'Failed';
}

/** Resolves 25% or 1 of a whole; surge rounds up, unavailable rounds down (upstream ResolveFenceposts). */
export function intOrPercent(value: unknown, whole: number, roundUp: boolean): number {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || !value.endsWith('%')) return 0;
  const share = (Number.parseInt(value, 10) * whole) / 100;
  return roundUp ? Math.ceil(share) : Math.floor(share);
}
