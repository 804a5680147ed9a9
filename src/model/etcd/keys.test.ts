import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareByCodePoint, compareKeys, FROM_KEY, inRange, isPlainKey, prefixRangeEnd, utf8Length } from './keys.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 6 });
const odd = fc.constantFrom('', 'a', '\u007f', '\u0080', '\u07ff', '\ud7ff', '\ue000', '\uffff', '😀', '\u{10ffff}');
const key = fc.tuple(odd, text, odd).map((parts) => parts.join(''));

describe('keys', () => {
  it('are ordered as their UTF-8 bytes', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        const bytes = Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(compareKeys(a, b)).toBe(bytes);
        expect(compareByCodePoint(a, b)).toBe(bytes);
        if (isPlainKey(a) || isPlainKey(b)) expect(a === b ? 0 : a < b ? -1 : 1).toBe(bytes);
      }),
    );
  });

  it('know their length in bytes', () => {
    fc.assert(
      fc.property(key, (a) => {
        expect(utf8Length(a)).toBe(Buffer.byteLength(a));
      }),
    );
  });

  it('of a prefix are exactly those in the range that the prefix makes', () => {
    fc.assert(
      fc.property(key, key, (prefix, other) => {
        fc.pre(prefix !== '');
        expect(inRange(prefix + other, prefix, prefixRangeEnd(prefix))).toBe(true);
        if (!other.startsWith(prefix) && isPlainKey(prefix)) expect(inRange(other, prefix, prefixRangeEnd(prefix))).toBe(false);
      }),
    );
  });

  it('without a range end are one key, with "\\0" all from the key on', () => {
    expect(inRange('a', 'a', '')).toBe(true);
    expect(inRange('aa', 'a', '')).toBe(false);
    expect(inRange('zz', 'a', FROM_KEY)).toBe(true);
    expect(inRange('A', 'a', FROM_KEY)).toBe(false);
  });
});
