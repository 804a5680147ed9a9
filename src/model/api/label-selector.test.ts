import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatLabelSelector,
  isSelectorError,
  labelSelectorMatches,
  labelsMatch,
  type ParsedLabelSelector,
  parseLabelSelector,
} from './label-selector.ts';

function parsed(text: string): ParsedLabelSelector {
  const selector = parseLabelSelector(text);
  if (isSelectorError(selector)) throw new Error(selector.error);
  return selector;
}

describe('label selectors', () => {
  it.each([
    ['', {}, true],
    ['a', { a: '1' }, true],
    ['a', {}, false],
    ['!a', {}, true],
    ['!a', { a: '' }, false],
    ['a=1', { a: '1' }, true],
    ['a==1', { a: '2' }, false],
    ['a!=1', { a: '1' }, false],
    ['a!=1', {}, true],
    ['a in (1,2)', { a: '2' }, true],
    ['a notin (1,2)', { a: '2' }, false],
    ['a notin (1,2)', {}, true],
    ['a>5', { a: '6' }, true],
    ['a<5', { a: '6' }, false],
    ['a>5', { a: 'x' }, false],
    ['a=', { a: '' }, true],
    ['a=1,b', { a: '1' }, false],
  ] as const)('%j on %j: %s', (text, labels, expected) => {
    expect(labelsMatch(parsed(text), labels)).toBe(expected);
  });

  it.each(['a in', 'a in (', '=', 'a=b=c', 'a,,b', '-a=1', 'a in ()x', 'a>x'])('%j is none', (text) => {
    expect(isSelectorError(parseLabelSelector(text))).toBe(true);
  });

  it('are the same when printed and read again', () => {
    const word = fc.constantFrom('a', 'b.c/d', 'app', 'x-1');
    const value = fc.constantFrom('1', 'two', '3.x');
    const requirement = fc.oneof(
      word,
      word.map((k) => `!${k}`),
      fc.tuple(word, fc.constantFrom('=', '!=', '=='), value).map(([k, op, v]) => `${k}${op}${v}`),
      fc
        .tuple(word, fc.constantFrom('in', 'notin'), fc.array(value, { minLength: 1 }))
        .map(([k, op, vs]) => `${k} ${op} (${vs.join(',')})`),
    );
    fc.assert(
      fc.property(fc.array(requirement, { maxLength: 4 }), fc.dictionary(word, value), (parts, labels) => {
        const selector = parsed(parts.join(','));
        const again = parsed(formatLabelSelector(selector));
        expect(formatLabelSelector(again)).toBe(formatLabelSelector(selector));
        expect(labelsMatch(again, labels)).toBe(labelsMatch(selector, labels));
      }),
    );
  });

  it('of objects: none selects nothing, an empty one everything', () => {
    expect(labelSelectorMatches(undefined, { a: '1' })).toBe(false);
    expect(labelSelectorMatches({}, { a: '1' })).toBe(true);
    expect(labelSelectorMatches({ matchLabels: { a: '1' }, matchExpressions: [{ key: 'b', operator: 'DoesNotExist' }] }, { a: '1' })).toBe(
      true,
    );
  });
});
