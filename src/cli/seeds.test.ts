import { describe, expect, it } from 'vitest';
import { UserError } from '../harness/user-error.ts';
import { seedsFrom } from './seeds.ts';
import { table } from './terminal.ts';

describe('seedsFrom', () => {
  it('counts numbers up in hexadecimal, however they are written, and numbers texts', () => {
    expect(seedsFrom('0xfe', 3)).toEqual(['0xfe', '0xff', '0x100']);
    expect(seedsFrom('7', 2)).toEqual(['0x7', '0x8']);
    expect(seedsFrom('monday', 3)).toEqual(['monday', 'monday-1', 'monday-2']);
    expect(() => seedsFrom('', 1)).toThrow(UserError);
    expect(() => seedsFrom('x'.repeat(65), 1)).toThrow(/--seed/);
  });
});

describe('table', () => {
  it('is as wide as its widest cells, numbers to the right', () => {
    expect(
      table(
        ['name', 'n'],
        [
          ['a', 5],
          ['longer', 12],
        ],
      ),
    ).toEqual(['name    n', 'a        5', 'longer  12']);
  });
});
