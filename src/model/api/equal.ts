/** Deep equality of JSON values. Shared parts are equal at once, so comparing an object with an edited copy costs what was edited. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!equalJson(a[i], b[i])) return false;
    return true;
  }
  if (Array.isArray(b)) return false;
  const left = a as Readonly<Record<string, unknown>>;
  const right = b as Readonly<Record<string, unknown>>;
  // Not for…in with keyed reads: V8 optimises those for the names seen so far and throws the code away at every new one.
  const keys = Object.keys(left);
  let count = 0;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string;
    const value = left[key];
    if (value === undefined) continue;
    count++;
    if (!equalJson(value, right[key])) return false;
  }
  const others = Object.keys(right);
  for (let i = 0; i < others.length; i++) if (right[others[i] as string] !== undefined) count--;
  return count === 0;
}

/** Equality of two states of one object, whatever their resourceVersion. */
export function equalApartFromVersion(a: { readonly metadata: object }, b: { readonly metadata: object }): boolean {
  if (a === b) return true;
  const left = a as Readonly<Record<string, unknown>>;
  const right = b as Readonly<Record<string, unknown>>;
  for (const key in left) if (key !== 'metadata' && !equalJson(left[key], right[key])) return false;
  for (const key in right) if (right[key] !== undefined && left[key] === undefined) return false;
  if (a.metadata === b.metadata) return true;
  const leftMeta = a.metadata as Readonly<Record<string, unknown>>;
  const rightMeta = b.metadata as Readonly<Record<string, unknown>>;
  for (const key in leftMeta) if (key !== 'resourceVersion' && !equalJson(leftMeta[key], rightMeta[key])) return false;
  for (const key in rightMeta) if (key !== 'resourceVersion' && rightMeta[key] !== undefined && leftMeta[key] === undefined) return false;
  return true;
}
