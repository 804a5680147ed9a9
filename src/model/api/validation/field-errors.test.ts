import { describe, expect, it } from 'vitest';
import { fieldErrorMessage, fieldErrorText, forbidden, invalid, notSupported, required, tooLong } from './field-errors.ts';

describe('field errors print as upstream', () => {
  it.each([
    [required('spec.x'), 'Required value'],
    [required('spec.x', 'why'), 'Required value: why'],
    [forbidden('spec.x', 'no'), 'Forbidden: no'],
    [invalid('spec.x', 'a"b', 'bad'), 'Invalid value: "a\\"b": bad'],
    [invalid('spec.x', -1, 'bad'), 'Invalid value: -1: bad'],
    [invalid('spec.x', ['a'], 'bad'), 'Invalid value: ["a"]: bad'],
    [notSupported('spec.x', 'c', ['b', 'a']), 'Unsupported value: "c": supported values: "b", "a"'],
    [tooLong('spec.x', 63), 'Too long: may not be more than 63 bytes'],
  ])('%j', (error, text) => {
    expect(fieldErrorMessage(error)).toBe(text);
    expect(fieldErrorText(error)).toBe(`spec.x: ${text}`);
  });
});
