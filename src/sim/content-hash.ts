import { finalize32, mixWord } from './mix.ts';

/** Seeds that tell kinds of values apart: the text '1', the number 1 and a list of it are different contents. */
const TEXT = 1;
const NUMBER = 2;
const LIST = 3;
const STRUCT = 4;
const OPAQUE = 5;

/**
 * Hash of plain data (what JSON can say, bigint and bytes) by value: members in their order, absent ones left out. Instances of classes
 * count as one opaque value: whoever knows what is in them hashes that.
 */
export function contentHash(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return textHash(value, TEXT);
    case 'number':
      return textHash(String(value), NUMBER);
    case 'object':
      return value === null ? OPAQUE + 1 : objectHash(value);
    default:
      return textHash(String(value), OPAQUE);
  }
}

/** Two code units at a time: most of what an object holds is text. */
function textHash(text: string, seed: number): number {
  const { length } = text;
  let h = seed;
  let i = 0;
  for (; i + 1 < length; i += 2) h = mixWord(h, text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16));
  if (i < length) h = mixWord(h, text.charCodeAt(i));
  return finalize32(h ^ length);
}

function objectHash(value: object): number {
  let h = LIST;
  if (Array.isArray(value) || value instanceof Uint8Array) {
    for (const item of value) h = mixWord(h, contentHash(item));
    return finalize32(h ^ value.length);
  }
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype !== Object.prototype && prototype !== null) return OPAQUE;
  h = STRUCT;
  let members = 0;
  for (const key in value) {
    const member = (value as Readonly<Record<string, unknown>>)[key];
    if (member === undefined) continue;
    members++;
    h = mixWord(mixWord(h, textHash(key, TEXT)), contentHash(member));
  }
  return finalize32(h ^ members);
}

/** Hashes of parts that objects share: a change of a status leaves the spec what it was. Objects do not change, so this decides nothing. */
const known = new WeakMap<object, number>();

/** To remember a part of fewer members costs more than to hash it again. */
const REMEMBERED_MEMBERS_MIN = 7;

function isWorthRemembering(part: object): boolean {
  let members = 0;
  for (const _ in part) if (++members === REMEMBERED_MEMBERS_MIN) return true;
  return false;
}

/** As {@link contentHash}, for objects that are immutable and share their parts: each large part is hashed once. */
export function sharedContentHash(object: object): number {
  let h = STRUCT;
  for (const key in object) {
    const member = (object as Readonly<Record<string, unknown>>)[key];
    if (member === undefined) continue;
    let hash: number | undefined;
    if (typeof member === 'object' && member !== null) {
      hash = known.get(member);
      if (hash === undefined) {
        hash = contentHash(member);
        // Metadata is new at every write.
        if (key !== 'metadata' && isWorthRemembering(member)) known.set(member, hash);
      }
    } else hash = contentHash(member);
    h = mixWord(mixWord(h, textHash(key, TEXT)), hash);
  }
  return finalize32(h);
}

const sizes = new WeakMap<object, number>();
/** Tag and length of a field, as serialized messages have them. */
const FIELD_BYTES = 4;

/** About how many bytes plain data takes when it is serialized: its texts, and a little for each member. Each part that is shared is counted once. */
export function sharedContentBytes(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (value instanceof Uint8Array) return value.length;
  if (typeof value !== 'object' || value === null) return FIELD_BYTES;
  const counted = sizes.get(value);
  if (counted !== undefined) return counted;
  let bytes = 0;
  // Names of members are no part of a stored object (protobuf); those of maps are, but are short.
  for (const key in value) bytes += FIELD_BYTES + sharedContentBytes((value as Readonly<Record<string, unknown>>)[key]);
  sizes.set(value, bytes);
  return bytes;
}
