/**
 * 32-bit mixing for random streams and digests. Integer arithmetic only, so that every engine computes the same.
 * The finaliser is MurmurHash3's fmix32 (Austin Appleby, public domain).
 */

/** Spreads every bit of x over the result. */
export function finalize32(x: number): number {
  let h = x | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Folds one 32-bit word into a running hash. Order matters. */
export function mixWord(hash: number, word: number): number {
  let k = Math.imul(word | 0, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  let h = hash ^ Math.imul(k, 0x1b873593);
  h = (h << 13) | (h >>> 19);
  return (Math.imul(h, 5) + 0xe6546b64) | 0;
}

/** Hash of a text by its UTF-16 code units, started from `seed`. */
export function hashText(text: string, seed = 0): number {
  let h = seed | 0;
  for (let i = 0; i < text.length; i++) h = mixWord(h, text.charCodeAt(i));
  return finalize32(h ^ text.length);
}
