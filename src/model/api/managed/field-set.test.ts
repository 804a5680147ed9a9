import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { difference, type FieldSet, intersection, leaf, pathsOf, union, withoutBelow } from './field-set.ts';

const nodes = fc.letrec<{ node: FieldSet; children: FieldSet }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    fc.constant(leaf),
    tie('children'),
    tie('children').map((set): FieldSet => ({ '.': leaf, ...set })),
  ),
  children: fc.dictionary(fc.constantFrom('f:a', 'f:b', 'f:c'), tie('node'), { minKeys: 1, maxKeys: 3 }),
}));
const sets = fc.oneof(fc.constant<FieldSet>({}), nodes.children);
const members = (set: FieldSet): ReadonlySet<string> => new Set(pathsOf(set));

describe('field sets behave as sets of paths', () => {
  it('union, difference and intersection', () => {
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        const inA = members(a);
        const inB = members(b);
        expect(members(union(a, b))).toEqual(new Set([...inA, ...inB]));
        expect(members(difference(a, b))).toEqual(new Set([...inA].filter((path) => !inB.has(path))));
        expect(members(intersection(a, b))).toEqual(new Set([...inA].filter((path) => inB.has(path))));
      }),
      { numRuns: 1000 },
    );
  });

  it('what is taken away below a path is gone with it', () => {
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        const gone = [...members(b)];
        const expected = [...members(a)].filter((path) => !gone.some((g) => path === g || path.startsWith(`${g}.`)));
        expect(members(withoutBelow(a, b))).toEqual(new Set(expected));
      }),
      { numRuns: 1000 },
    );
  });
});
