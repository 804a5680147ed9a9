import { fileError } from '../harness/user-error.ts';

/** `count` seeds from the first one on: hexadecimal or decimal numbers count up, any other text gets a suffix. @throws UserError */
export function seedsFrom(first: string, count: number): readonly string[] {
  if (first === '' || first.length > 64)
    throw fileError('--seed', `the seed is ${JSON.stringify(first)}`, 'a number such as 0x9c41 or a short text');
  const number = /^(0x[0-9a-fA-F]{1,12}|\d{1,15})$/.test(first) ? Number(first) : undefined;
  if (number === undefined) return Array.from({ length: count }, (_, i) => (i === 0 ? first : `${first}-${i}`));
  return Array.from({ length: count }, (_, i) => `0x${(number + i).toString(16)}`);
}
