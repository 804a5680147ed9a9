import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from './compile.ts';
import { functions } from './declarations.ts';
import { type CelType, dyn, int, list, map, object, string } from './type.ts';
import type { Value } from './value.ts';

const variables = new Map<string, CelType>([
  ['any', dyn],
  ['self', object('Self', { n: int, s: string, l: list(string), m: map(string, int) })],
]);
const values: Readonly<Record<string, Value>> = {
  any: { a: 1, b: 1.5, c: null, d: ['x', 2, { e: true }], f: 'text', g: {} },
  self: { n: -3, s: '10.0.0.1', l: ['a', 'b'], m: { k: 1 } },
};

const leaf = fc.oneof(
  fc.constantFrom(
    'any',
    'any.a',
    'any.b',
    'any.c',
    'any.d',
    'any.d[0]',
    'any.gone',
    'self.n',
    'self.s',
    'self.l',
    'self.m',
    'null',
    'true',
    'false',
  ),
  fc.constantFrom(
    "'a'",
    "''",
    "'1h'",
    "'2024-01-01T00:00:00Z'",
    "'10.0.0.0/8'",
    "'é😀'",
    "'%s %d %.3f'",
    "'1.2.3'",
    "'5Gi'",
    "b'\\xff'",
    '1u',
    '0',
    '[]',
    '{}',
  ),
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Number.isInteger(value) ? `${BigInt(value)}.0` : String(value))),
);

/** Every declared function, of any arguments: most do not check, and all must answer. */
const expression = fc.letrec<{ readonly any: string }>((tie) => {
  const one = tie('any');
  const called = fc
    .tuple(
      fc.constantFrom(...[...functions.keys()].filter((name) => /^[a-z]/i.test(name))),
      one,
      fc.array(one, { maxLength: 3 }),
      fc.boolean(),
    )
    .map(([name, receiver, given, isMethod]) => (isMethod ? `(${receiver}).${name}(${given.join(', ')})` : `${name}(${given.join(', ')})`));
  const binary = fc
    .tuple(one, fc.constantFrom('+', '-', '*', '/', '%', '==', '!=', '<', '<=', '>', '>=', 'in', '&&', '||'), one)
    .map(([left, sign, right]) => `(${left}) ${sign} (${right})`);
  const macro = fc
    .tuple(one, fc.constantFrom('all', 'exists', 'exists_one', 'filter', 'map'), one)
    .map(([range, name, body]) => `(${range}).${name}(x, ${body})`);
  const other = fc
    .tuple(one, one, one)
    .chain(([a, b, c]) =>
      fc.constantFrom(
        `(${a}) ? (${b}) : (${c})`,
        `[${a}, ${b}]`,
        `{${a}: ${b}}`,
        `(${a})[${b}]`,
        `dyn(${a})`,
        `!(${a})`,
        `-(${a})`,
        `(${a}).?f.orValue(${b})`,
        `optional.of(${a}).optMap(y, ${b})`,
      ),
    );
  return { any: fc.oneof({ maxDepth: 4, depthSize: 'small' }, leaf, called, binary, macro, other) };
}).any;

describe('CEL, whatever is written', () => {
  it('answers with a value, an error or issues, and the same every time', () => {
    let evaluated = 0;
    fc.assert(
      fc.property(expression, (text) => {
        const compiled = compile(text, variables);
        if ('issues' in compiled) {
          expect(compiled.issues).toMatch(/^ERROR: <input>:\d+:\d+: /);
          return;
        }
        evaluated++;
        const run = (): unknown => compiled.program.run((name) => values[name], 100_000);
        expect(run()).toEqual(run());
      }),
      { numRuns: 3_000 },
    );
    expect(evaluated).toBeGreaterThan(300);
  });

  it('reads no text without an answer', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab1.\'"+-*/()[]{}<>=!&|?:, \n\\@$rbuxé'.split('')), maxLength: 24 }), (text) => {
        const compiled = compile(text, variables);
        if ('issues' in compiled) expect(compiled.issues).toMatch(/^ERROR: <input>:\d+:\d+: /);
      }),
      { numRuns: 5_000 },
    );
  });
});
