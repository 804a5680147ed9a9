import { describe, expect, it } from 'vitest';
import { compile } from './compile.ts';
import { type CelType, dyn, int, list, map, object, string, typeText } from './type.ts';
import { Optional, Uint, type Value } from './value.ts';

const self = object('Self', { size: int, name: string, tags: list(string), labels: map(string, string) });
const variables = new Map<string, CelType>([
  ['object', dyn],
  ['self', self],
  ['set', list(string, 'set')],
  ['byKey', list(dyn, ['k'])],
]);
const values: Readonly<Record<string, Value>> = {
  object: {
    spec: { replicas: 9, list: [1, { a: 1 }], nothing: null, ratio: 1.5, empty: [], text: 'x' },
    metadata: { labels: { 'a/b': 'c' } },
  },
  self: { size: 3, name: 'abc', tags: ['a', 'b'], labels: { x: 'y' } },
  set: ['a', 'b'],
  byKey: [
    { k: 1, v: 1 },
    { k: 2, v: 2 },
  ],
};

function run(text: string): Value | string {
  const compiled = compile(text, variables);
  if ('issues' in compiled) return `issues: ${compiled.issues}`;
  const outcome = compiled.program.run((name) => values[name]);
  return 'error' in outcome ? `error: ${outcome.error}` : outcome.value;
}

function issuesOf(text: string): string {
  const compiled = compile(text, variables);
  return 'issues' in compiled ? compiled.issues : '';
}

describe('CEL values', () => {
  // Each row is an identity of the language definition or of Kubernetes' documented libraries.
  it.each([
    ['object.spec.replicas <= 5', false],
    ['object.spec.replicas + 1', 10n],
    ['object.spec.ratio > 1', true],
    ['object.spec.nothing == null', true],
    ['has(object.spec.nothing)', true],
    ['has(object.spec.gone)', false],
    ['has(object.spec.list[1].a)', true],
    ["object.metadata.labels['a/b']", 'c'],
    ["object.spec.replicas == 'x'", false],
    ['object.?spec.?gone.orValue(3)', 3n],
    ['optional.of(1).optMap(y, y + 1).value()', 2n],
    ['self.tags.all(t, t.size() == 1)', true],
    ["self.tags.exists_one(t, t == 'a')", true],
    ['[1, 2, 3].filter(n, n > 1)', [2n, 3n]],
    ['[1, 2].map(n, n > 1, n * 2)', [4n]],
    ['[3, 5].all(i, v, v > i)', true],
    ["{'a': 1}.all(k, k == 'a')", true],
    ['cel.bind(n, self.size, n + n)', 6n],
    ['true || object.spec.gone', true],
    ['object.spec.gone || true', true],
    ['object.spec.empty.all(x, x.y)', true],
    ["'abc'.matches('^a.c$')", true],
    ["'hello'.substring(1, 3)", 'el'],
    ["'a,b'.split(',')", ['a', 'b']],
    ["'%d of %s'.format([dyn(1), 'x'])", '1 of x'],
    ["'aXbX'.replace('X', '-', 1)", 'a-bX'],
    ["'á'.size()", 1n],
    ['1u + 2u', new Uint(3n)],
    ['-7 / 2', -3n],
    ['[1, 2, 3].sum()', 6n],
    ['[2, 1].isSorted()', false],
    ['[1, 2].max()', 2n],
    ["quantity('1Gi').isGreaterThan(quantity('1G'))", true],
    ["quantity('500m').add(quantity('0.5')).asInteger()", 1n],
    ["ip('::1').isLoopback()", true],
    ["ip.isCanonical('::0001')", false],
    ["cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')", true],
    ["url('https://h:80/p?q=1').getPort()", '80'],
    ["url('https://h:80/p?q=1').getQuery()['q'][0]", '1'],
    ["format.dns1123Label().validate('ok').hasValue()", false],
    ["semver('1.2.3').isLessThan(semver('1.10.0'))", true],
    ["semver('v1.0', true).minor()", 0n],
    ["timestamp('2024-02-29T12:00:00Z').getDayOfMonth()", 28n],
    ["duration('90m').getHours()", 1n],
    ["timestamp('2024-01-02T00:00:00Z') - timestamp('2024-01-01T00:00:00Z') == duration('24h')", true],
    ['sets.contains([1, 2], [2])', true],
    ["set == ['b', 'a']", true],
    ["self.tags == ['b', 'a']", false],
    ["(set + ['b', 'c']).size()", 3n],
    ["(byKey + [{'k': 2, 'v': 9}, {'k': 3, 'v': 3}]).map(i, i.v)", [1n, 9n, 3n]],
    ['type(object.spec.text) == string', true],
    ['string(1.5)', '1.5'],
    ["'abc'.find('b+')", 'b'],
    ['object.spec.gone', 'error: no such key: gone'],
    ['object.spec.list[9]', 'error: index out of bounds: 9'],
    ['1 / 0', 'error: division by zero'],
    ['9223372036854775807 + 1', 'error: integer overflow'],
    ["object.spec.replicas < 'a'", 'error: no such overload'],
  ])('%s', (text, expected) => {
    expect(run(text)).toEqual(expected);
  });

  it('stops an expression that costs too much', () => {
    const compiled = compile('object.all(a, object.all(b, object.all(c, a + b + c >= 0)))', variables);
    if ('issues' in compiled) throw new Error(compiled.issues);
    const many = Array.from({ length: 200 }, (_, i) => i);
    expect(compiled.program.run(() => many)).toMatchObject({ error: 'operation cancelled: actual cost limit exceeded' });
  });

  it('leaves an optional value what it is', () => {
    expect(run('optional.of(self.name)')).toEqual(new Optional('abc'));
  });
});

describe('CEL types', () => {
  it.each([
    ['1 + 1', 'int'],
    ['self.tags', 'list(string)'],
    ['self.labels', 'map(string, string)'],
    ['[]', 'list(dyn)'],
    ['{1: [true]}', 'map(int, list(bool))'],
    ['object.x', 'dyn'],
    ['optional.of(self.size)', 'optional_type(int)'],
    ['self.?name', 'optional_type(string)'],
    ["quantity('1')", 'kubernetes.Quantity'],
    ['null', 'null'],
  ])('%s is %s', (text, expected) => {
    const compiled = compile(text, variables);
    expect('issues' in compiled ? compiled.issues : typeText(compiled.program.type)).toBe(expected);
  });

  // The texts are those of cel-go's own checker.
  it.each([
    ['self.ghost > 1', "1:5: undefined field 'ghost'"],
    ['ghost', "1:1: undeclared reference to 'ghost' (in container '')"],
    ['ghost(1)', "1:6: undeclared reference to 'ghost' (in container '')"],
    ["self.size + 'a'", "1:11: found no matching overload for '_+_' applied to '(int, string)'"],
    ['self.name.startsWith(1)', "1:21: found no matching overload for 'startsWith' applied to 'string.(int)'"],
    ['self.size.x', "1:10: type 'int' does not support field selection"],
    ['self.size.all(x, true)', "1:5: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)"],
    ['self.tags.all(t, t)', "1:14: found no matching overload for '_&&_' applied to '(bool, string)'"],
    ['self.tags.all(1, true)', '1:15: argument must be a simple name'],
    ['has(self)', '1:5: invalid argument to has() macro'],
    ["[1, 'a']", "1:5: expected type 'int' but found 'string'"],
    ['if', '1:1: reserved identifier: if'],
  ])('%s: %s', (text, expected) => {
    expect(issuesOf(text).split('\n')[0]).toBe(`ERROR: <input>:${expected}`);
  });

  it('tells all errors, in the order of the text, with a pointer below each', () => {
    expect(issuesOf('a +\n self.b')).toBe(
      "ERROR: <input>:1:1: undeclared reference to 'a' (in container '')\n | a +\n | ^\nERROR: <input>:2:6: undefined field 'b'\n |  self.b\n | .....^",
    );
  });
});

describe('CEL syntax', () => {
  const operand = "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
  // The first rows are in cel-go's parser tests.
  it.each([
    [
      '*@a | b',
      [
        `1:1: Syntax error: extraneous input '*' expecting ${operand}`,
        "1:2: Syntax error: token recognition error at: '@'",
        "1:5: Syntax error: token recognition error at: '| '",
        "1:7: Syntax error: extraneous input 'b' expecting <EOF>",
      ],
    ],
    [
      '?',
      [`1:1: Syntax error: mismatched input '?' expecting ${operand}`, `1:2: Syntax error: mismatched input '<EOF>' expecting ${operand}`],
    ],
    ['1 + $', ["1:5: Syntax error: token recognition error at: '$'", `1:6: Syntax error: mismatched input '<EOF>' expecting ${operand}`]],
    ['self.size <', [`1:12: Syntax error: mismatched input '<EOF>' expecting ${operand}`]],
    ['(1 + 2', ["1:7: Syntax error: missing ')' at '<EOF>'"]],
    ['1 2', ["1:3: Syntax error: extraneous input '2' expecting <EOF>"]],
  ])('%s', (text, expected) => {
    const lines = issuesOf(text)
      .split('\n')
      .filter((line) => line.startsWith('ERROR'));
    expect(lines).toEqual(expected.map((line) => `ERROR: <input>:${line}`));
  });
});
