import { type FieldErrors, invalid } from './field-errors.ts';

export const immutableMessage = 'field is immutable';

/**
 * Semantic equality of JSON values: absent, null, empty list and empty map are one, as in apiequality.Semantic.
 * Shared references answer at once, which is the common case: writes share what they do not change.
 */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isEmpty(a)) return isEmpty(b);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!sameValue(a[i], b[i])) return false;
    return true;
  }
  if (Array.isArray(b)) return false;
  const left = a as Readonly<Record<string, unknown>>;
  const right = b as Readonly<Record<string, unknown>>;
  for (const key in left) if (!sameValue(left[key], right[key])) return false;
  for (const key in right) if (!(key in left) && !isEmpty(right[key])) return false;
  return true;
}

/** An empty object is not empty in this sense where it stands for a set pointer; only its content is compared. */
function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

/** ValidateImmutableField. `print` makes the value of the message where that is not the value itself. */
export function checkImmutable<T>(next: T, previous: T, field: string, out: FieldErrors, print?: (value: T) => unknown): void {
  if (sameValue(next, previous)) return;
  out.push(invalid(field, print === undefined ? (next ?? null) : print(next), immutableMessage));
}
