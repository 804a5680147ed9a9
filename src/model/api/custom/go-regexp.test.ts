import { describe, expect, test } from 'vitest';
import { goRegExp } from './go-regexp.ts';

describe("Go's regular expressions", () => {
  test.each([
    ['^(?i)(abort|warn)?$', 'ABORT', true],
    ['^(?i)(abort|warn)?$', 'stop', false],
    ['^(a(?i)b)c$', 'aBc', true],
    ['^(a(?i)b)c$', 'aBC', false],
    ['^(?P<n>[0-9]+)$', '12', true],
    ['\\A[a-z]\\z', 'a', true],
    ['^[]a]+$', ']a', true],
    ['^\\(x\\)$', '(x)', true],
  ])('%s on %s', (pattern, text, matches) => {
    expect(goRegExp(pattern).test(text)).toBe(matches);
  });

  test('what is none throws', () => {
    expect(() => goRegExp('a(b')).toThrow(SyntaxError);
  });
});
