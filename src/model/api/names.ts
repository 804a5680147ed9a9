/** Draws an unsigned 32-bit integer from a named stream of the simulation. */
export type NextUint32 = () => number;

const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;
/** Upstream names.maxNameLength: the base of a generated name is cut so that base and suffix fit. */
const generatedBaseLengthMax = 63 - suffixLength;

/** Random characters that spell no word: upstream rand.String (`k8s.io/apimachinery/pkg/util/rand`). */
export function randomSuffix(next: NextUint32, length: number = suffixLength): string {
  let text = '';
  for (let i = 0; i < length; i++) text += alphabet[next() % alphabet.length];
  return text;
}

/** The name that generateName makes: upstream `names.SimpleNameGenerator`. */
export function generatedName(base: string, next: NextUint32): string {
  return (base.length > generatedBaseLengthMax ? base.slice(0, generatedBaseLengthMax) : base) + randomSuffix(next);
}

const hex: readonly string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

function hexOf(word: number): string {
  return `${hex[word >>> 24]}${hex[(word >>> 16) & 255]}${hex[(word >>> 8) & 255]}${hex[word & 255]}`;
}

/** A random (version 4) UUID. */
export function newUid(next: NextUint32): string {
  const a = hexOf(next());
  const b = hexOf(((next() & 0xffff0fff) | 0x4000) >>> 0);
  const c = hexOf(((next() & 0x3fffffff) | 0x80000000) >>> 0);
  return `${a}-${b.slice(0, 4)}-${b.slice(4)}-${c.slice(0, 4)}-${c.slice(4)}${hexOf(next())}`;
}
