import type { Json } from '../object.ts';
import { memberOf, setMember } from '../own-member.ts';

function isMap(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** RFC 7386: maps merge, null removes, all else replaces. What the patch does not name is shared with the document. */
export function applyMergePatch(document: Json | undefined, patch: Json): Json {
  if (!isMap(patch)) return patch;
  const base = isMap(document) ? document : {};
  let copy: Record<string, Json> | undefined;
  for (const key in patch) {
    const value = patch[key] as Json;
    if (value === null) {
      if (Object.hasOwn(base, key)) {
        copy ??= { ...base };
        delete copy[key];
      }
      continue;
    }
    const before = memberOf(base, key);
    const next = applyMergePatch(before, value);
    if (next !== before) {
      copy ??= { ...base };
      setMember(copy, key, next);
    }
  }
  return copy ?? base;
}
