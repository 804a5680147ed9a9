import type { PodTemplateSpec } from '../api/types.ts';

/** Label by which a Deployment tells the pods of its revisions apart. */
export const podTemplateHashLabel = 'pod-template-hash';

const safeCharacters = 'bcdfghjklmnpqrstvwxz2456789';

/** Letters and digits of which no rude word can be made: upstream rand.SafeEncodeString. */
export function safeEncode(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) out += safeCharacters.charAt(text.charCodeAt(i) % safeCharacters.length);
  return out;
}

/** JSON with sorted keys, without absent and empty members: equal meaning, equal text. */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const object = value as { readonly [key: string]: unknown };
  const members = Object.keys(object)
    .filter((key) => object[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(object[key])}`);
  return `{${members.join(',')}}`;
}

/** 32-bit FNV-1a over UTF-16 code units. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

const texts = new WeakMap<object, string>();

/**
 * A short name for a pod template: upstream controller.ComputeHash, which hashes Go's dump of the struct; ours hashes canonical JSON, so
 * the values differ and the properties do not. A collision count of the owner changes it.
 */
export function podTemplateHash(template: PodTemplateSpec, collisionCount: number | undefined): string {
  let text = texts.get(template);
  if (text === undefined) {
    text = canonicalJson(template);
    texts.set(template, text);
  }
  return safeEncode(String(fnv1a(collisionCount === undefined ? text : `${text}${collisionCount}`)));
}
