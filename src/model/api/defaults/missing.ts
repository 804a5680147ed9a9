/**
 * Path copies for defaulting: an object that lacks nothing is answered itself, so that defaulting what has been
 * defaulted before (a pod from a template) allocates nothing.
 */

/** Adds the fields that are absent. Null is absent: the decoder prints required lists so. */
export function withMissing<T extends object>(object: T, defaults: { readonly [K in keyof T]?: NonNullable<T[K]> }): T {
  let result: T | undefined;
  for (const key in defaults) {
    if (object[key] !== undefined && object[key] !== null) continue;
    result ??= { ...object };
    result[key] = defaults[key] as T[typeof key];
  }
  return result ?? object;
}

/** Sets one field, if it differs. */
export function withField<T extends object, K extends keyof T>(object: T, key: K, value: T[K]): T {
  return object[key] === value ? object : { ...object, [key]: value };
}

/** Drops one field, if it is there. */
export function without<T extends object, K extends keyof T>(object: T, key: K): T {
  if (!(key in object)) return object;
  const { [key]: _, ...rest } = object;
  return rest as T;
}

/** Maps a list; the list itself when no element changed. */
export function mapShared<T>(list: readonly T[], change: (element: T) => T): readonly T[] {
  let result: T[] | undefined;
  for (let i = 0; i < list.length; i++) {
    const element = list[i] as T;
    const changed = change(element);
    if (result !== undefined) result.push(changed);
    else if (changed !== element) {
      result = list.slice(0, i);
      result.push(changed);
    }
  }
  return result ?? list;
}

/** Changes one field that may be absent, sharing what does not change. */
export function changed<T extends object, K extends keyof T>(
  object: T,
  key: K,
  change: (value: NonNullable<T[K]>) => NonNullable<T[K]>,
): T {
  const value = object[key];
  return value === undefined || value === null ? object : withField(object, key, change(value));
}

/** Changes every element of a list that may be absent. */
export function changedEach<T extends object, K extends keyof T, E>(
  object: T & { readonly [P in K]?: readonly E[] },
  key: K,
  change: (element: E) => E,
): T {
  const list = object[key] as readonly E[] | undefined;
  if (list === undefined || list === null || list.length === 0) return object;
  const mapped = mapShared(list, change);
  return mapped === list ? object : { ...object, [key]: mapped };
}
