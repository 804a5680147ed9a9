/**
 * Keys are strings ordered by their UTF-8 bytes, as etcd orders byte strings. UTF-16 code unit order is the same order except where
 * surrogates meet units from U+E000 up, so all keys seen in practice take the engine's own comparison.
 */

/** Units from the first surrogate up: only strings that hold one can be ordered differently by bytes and by code units. */
const exotic = /[\ud800-\uffff]/;

/** True if code unit order of this key against any other plain key is byte order. */
export function isPlainKey(key: string): boolean {
  return !exotic.test(key);
}

/** Byte order of two keys whatever they hold: -1, 0 (only for equal keys) or 1. */
export function compareKeys(a: string, b: string): -1 | 0 | 1 {
  if (a === b) return 0;
  if (exotic.test(a) && exotic.test(b)) return compareByCodePoint(a, b);
  return a < b ? -1 : 1;
}

/** UTF-8 order is code point order; the slow twin of the code unit comparison, exported for its test. */
export function compareByCodePoint(a: string, b: string): -1 | 0 | 1 {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // A surrogate stands for a code point above every unit of the basic plane (RFC 3629, section 3).
    const xHigh = x >= 0xd800 && x <= 0xdfff;
    const yHigh = y >= 0xd800 && y <= 0xdfff;
    if (xHigh !== yHigh) return xHigh ? 1 : -1;
    return x < y ? -1 : 1;
  }
  return a.length === b.length ? 0 : a.length < b.length ? -1 : 1;
}

/** Length of a string in UTF-8 bytes, without encoding it. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff)) bytes += 1;
    else bytes += 2;
  }
  return bytes;
}

/** Size of a stored value: strings and byte arrays know theirs, anything else is a reference whose writer states it. */
export function valueSizeBytes(value: unknown, stated: number | undefined): number {
  if (stated !== undefined) return stated;
  if (typeof value === 'string') return utf8Length(value);
  if (value instanceof Uint8Array) return value.byteLength;
  return 0;
}

/** The end of a range as etcd's requests write it: empty is one key, "\0" is everything from the key on. */
export const FROM_KEY = '\0';

/** The range end that makes [prefix, end) all keys with that prefix (clientv3.GetPrefixRangeEnd). */
export function prefixRangeEnd(prefix: string): string {
  for (let i = prefix.length - 1; i >= 0; i--) {
    const unit = prefix.charCodeAt(i);
    // The unit after U+D7FF is U+E000; the last surrogates and U+FFFF have no successor of their length, so the prefix before them is taken.
    if (unit === 0xd7ff) return `${prefix.slice(0, i)}\ue000`;
    if (unit !== 0xdbff && unit !== 0xdfff && unit !== 0xffff) return prefix.slice(0, i) + String.fromCharCode(unit + 1);
  }
  return FROM_KEY;
}

/** Whether `key` lies in the range that a request's key and range end name. */
export function inRange(key: string, begin: string, rangeEnd: string): boolean {
  if (rangeEnd === '') return key === begin;
  return compareKeys(key, begin) >= 0 && (rangeEnd === FROM_KEY || compareKeys(key, rangeEnd) < 0);
}
