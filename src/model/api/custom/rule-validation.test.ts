import { describe, expect, it } from 'vitest';
import { fieldErrorText } from '../validation/field-errors.ts';
import { ruleTree, validateRules } from './rule-validation.ts';
import type { Schema } from './structural-schema.ts';

function findings(
  schema: object,
  object: unknown,
  previous?: unknown,
): { readonly errors: readonly string[]; readonly warnings: readonly string[] } {
  const tree = ruleTree(schema as Schema);
  if (tree === undefined) throw new Error('no rules');
  const { errors, warnings } = validateRules(tree, object, previous);
  return { errors: errors.map(fieldErrorText), warnings };
}

const number = { type: 'integer' };
const spec = (rules: readonly object[], properties: object): object => ({
  type: 'object',
  properties: { spec: { type: 'object', properties, 'x-kubernetes-validations': rules } },
});

describe('rules of custom resources', () => {
  it('name the field, the reason and the message that they ask for', () => {
    const rules = [
      { rule: 'self.a < 3' },
      { rule: 'self.a < 3', message: 'too much', fieldPath: '.a', reason: 'FieldValueForbidden' },
      { rule: 'self.a < 3', messageExpression: "string(self.a) + ' is too much'", message: 'not this' },
    ];
    expect(findings(spec(rules, { a: number }), { spec: { a: 5 } }).errors).toEqual([
      'spec: Invalid value: failed rule: self.a < 3',
      'spec.a: Forbidden: too much',
      'spec: Invalid value: 5 is too much',
    ]);
  });

  it('tell why they could not be evaluated', () => {
    expect(findings(spec([{ rule: 'self.a < 3' }], { a: number }), { spec: {} }).errors).toEqual([
      'spec: Invalid value: "object": no such key: a evaluating rule: self.a < 3',
    ]);
  });

  it('compare with before only where there is one, or when they say that they can do without', () => {
    const schema = spec([{ rule: 'self.a >= oldSelf.a' }], { a: number });
    expect(findings(schema, { spec: { a: 1 } }).errors).toEqual([]);
    expect(findings(schema, { spec: { a: 1 } }, { spec: { a: 2 } }).errors).toHaveLength(1);
    const optional = spec([{ rule: 'oldSelf.hasValue() || self.a == 0', optionalOldSelf: true }], { a: number });
    expect(findings(optional, { spec: { a: 1 } }).errors).toHaveLength(1);
    expect(findings(optional, { spec: { a: 1 } }, { spec: { a: 9 } }).errors).toEqual([]);
  });

  it('only warn of what an update leaves as it was (KEP-4008)', () => {
    const schema = spec([{ rule: 'self.a < 3' }], { a: number, b: number });
    expect(findings(schema, { spec: { a: 5 }, other: 1 }, { spec: { a: 5 } })).toEqual({
      errors: [],
      warnings: ['spec: Invalid value: failed rule: self.a < 3'],
    });
    expect(findings(schema, { spec: { a: 5, b: 1 } }, { spec: { a: 5 } }).errors).toHaveLength(1);
  });

  it('find the item of the same key in a list before', () => {
    const items = {
      type: 'object',
      properties: { k: { type: 'string' }, v: number },
      'x-kubernetes-validations': [{ rule: 'self.v == oldSelf.v' }],
    };
    const schema = {
      type: 'object',
      properties: { l: { type: 'array', items, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] } },
    };
    const item = (k: string, v: number): object => ({ k, v });
    expect(findings(schema, { l: [item('b', 2), item('a', 1)] }, { l: [item('a', 1), item('b', 2)] }).errors).toEqual([]);
    expect(findings(schema, { l: [item('b', 3)] }, { l: [item('a', 1), item('b', 2)] }).errors).toEqual([
      'l[0]: Invalid value: failed rule: self.v == oldSelf.v',
    ]);
  });

  it('see formats as times, and names that are no identifiers escaped', () => {
    const schema = spec([{ rule: "self.at > timestamp('2024-01-01T00:00:00Z') && self.a__dash__b == 1" }], {
      at: { type: 'string', format: 'date-time' },
      'a-b': number,
    });
    expect(findings(schema, { spec: { at: '2025-01-01T00:00:00Z', 'a-b': 1 } }).errors).toEqual([]);
    expect(findings(schema, { spec: { at: '2023-01-01T00:00:00Z', 'a-b': 1 } }).errors).toHaveLength(1);
  });
});
