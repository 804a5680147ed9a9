import { describe, expect, it } from 'vitest';
import type { FieldErrors } from '../validation/field-errors.ts';
import { fieldErrorText } from '../validation/field-errors.ts';
import { checkRules, checkRuleTexts } from './rule-definition.ts';
import type { Schema } from './structural-schema.ts';

function errorsOf(schema: Schema): readonly string[] {
  const out: FieldErrors = [];
  checkRuleTexts(schema, 'root', out);
  if (out.length === 0) checkRules(schema, 'root', out);
  return out.map(fieldErrorText);
}

const text = { type: 'string' };
function withRule(properties: object, rule: object): Schema {
  return { type: 'object', properties, 'x-kubernetes-validations': [rule] } as Schema;
}

describe('rules of a definition', () => {
  it('are accepted where sizes are bounded, and refused where they are not', () => {
    const rule = { rule: 'self.l.all(a, self.l.all(b, a != b))' };
    const bounded = { l: { type: 'array', maxItems: 10, items: { ...text, maxLength: 10 } } };
    expect(errorsOf(withRule(bounded, rule))).toEqual([]);
    const [first = ''] = errorsOf(withRule({ l: { type: 'array', items: text } }, rule));
    expect(first).toContain(
      'root.x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x',
    );
  });

  it('count for each item that a list may have', () => {
    const items = {
      ...text,
      'x-kubernetes-validations': [{ rule: "self.startsWith('abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz')" }],
    };
    expect(errorsOf({ type: 'object', properties: { l: { type: 'array', maxItems: 5, items } } } as unknown as Schema)).toEqual([]);
    // Unbounded: as many strings of two bytes and a comma as fit in a request.
    expect(errorsOf({ type: 'object', properties: { l: { type: 'array', items } } } as unknown as Schema)).toEqual([]);
    const dear = { ...text, maxLength: 1000, 'x-kubernetes-validations': [{ rule: "self.contains('abcdefghijklmnopqrstuvwxyz')" }] };
    expect(errorsOf({ type: 'object', properties: { l: { type: 'array', items: dear } } } as unknown as Schema)).toHaveLength(3);
  });

  it('may not compare with before where before is not known', () => {
    const items = { ...text, 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] };
    expect(errorsOf({ type: 'object', properties: { l: { type: 'array', maxItems: 5, items } } } as unknown as Schema)[0]).toContain(
      'oldSelf cannot be used on the uncorrelatable portion of the schema within root.properties[l]',
    );
    expect(errorsOf(withRule({ a: text }, { rule: 'has(self.a)', optionalOldSelf: true }))).toEqual([
      'root.x-kubernetes-validations[0].optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule',
    ]);
  });

  it('have texts that can be shown', () => {
    expect(errorsOf(withRule({ a: text }, { rule: ' ' }))).toEqual([
      'root.x-kubernetes-validations[0].rule: Required value: rule is not specified',
    ]);
    expect(errorsOf(withRule({ a: text }, { rule: 'true', fieldPath: '.b' }))).toEqual([
      'root.x-kubernetes-validations[0].fieldPath: Invalid value: ".b": fieldPath must be a valid path',
    ]);
    expect(errorsOf(withRule({ a: text }, { rule: 'true', messageExpression: '1' }))[0]).toContain(
      'messageExpression must evaluate to a string',
    );
  });
});
