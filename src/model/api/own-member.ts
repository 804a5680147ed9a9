/**
 * Maps whose keys come from users (labels, patches, fields without a schema) may hold `__proto__` and `toString` like any other key.
 * A plain assignment would set the prototype, and a plain read would find what the prototype has.
 */

/** Sets a member, whatever its name. */
export function setMember<T>(map: Record<string, T>, key: string, value: T): void {
  if (key === '__proto__') Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
  else map[key] = value;
}

/** A member of the map itself. */
export function memberOf<T>(map: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}
