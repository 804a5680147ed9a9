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

const hexDigits: readonly number[] = Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
/** A UUID's characters while it is made: 8-4-4-4-12 digits, the dashes stand already. */
const uuid: number[] = Array.from('00000000-0000-0000-0000-000000000000', (character) => character.charCodeAt(0));

function putHex(word: number, from: number, at: number, count: number): void {
  for (let i = 0; i < count; i++) uuid[at + i] = hexDigits[(word >>> (28 - 4 * (from + i))) & 15] as number;
}

/** A random (version 4) UUID, as one flat text: joined of parts it would be kept as a tree of them, seven times its size. */
export function newUid(next: NextUint32): string {
  putHex(next(), 0, 0, 8);
  const b = (next() & 0xffff0fff) | 0x4000;
  putHex(b, 0, 9, 4);
  putHex(b, 4, 14, 4);
  const c = (next() & 0x3fffffff) | 0x80000000;
  putHex(c, 0, 19, 4);
  putHex(c, 4, 24, 4);
  putHex(next(), 0, 28, 8);
  return String.fromCharCode.apply(undefined, uuid);
}
