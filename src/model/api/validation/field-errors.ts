import type { FieldError } from '../field-error.ts';

/**
 * Constructors of field errors and their texts, as upstream `k8s.io/apimachinery/pkg/util/validation/field/errors.go`
 * makes and prints them.
 */

/** Where validators put what they find. Nothing is allocated while an object is right. */
export type FieldErrors = FieldError[];

export function required(field: string, detail = ''): FieldError {
  return { type: 'FieldValueRequired', field, detail };
}

export function invalid(field: string, badValue: unknown, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field, badValue, detail };
}

export function duplicate(field: string, badValue: unknown, detail = ''): FieldError {
  return { type: 'FieldValueDuplicate', field, badValue, detail };
}

export function notFound(field: string, badValue: unknown, detail = ''): FieldError {
  return { type: 'FieldValueNotFound', field, badValue, detail };
}

export function forbidden(field: string, detail: string): FieldError {
  return { type: 'FieldValueForbidden', field, detail };
}

/** `supported` is printed in the order given: sort it where upstream does. */
export function notSupported(field: string, badValue: unknown, supported: readonly string[]): FieldError {
  const detail = supported.length === 0 ? '' : `supported values: ${supported.map(goQuote).join(', ')}`;
  return { type: 'FieldValueNotSupported', field, badValue, detail };
}

/** `limit` below 0: the limit is not told. */
export function tooLong(field: string, limit: number): FieldError {
  return { type: 'FieldValueTooLong', field, detail: limit >= 0 ? `may not be more than ${limit} bytes` : 'value is too long' };
}

export function tooMany(field: string, count: number, limit: number): FieldError {
  return { type: 'FieldValueTooMany', field, badValue: count, detail: `must have at most ${limit} items` };
}

const typeTexts: Readonly<Record<FieldError['type'], string>> = {
  FieldValueNotFound: 'Not found',
  FieldValueRequired: 'Required value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueForbidden: 'Forbidden',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  InternalError: 'Internal error',
  FieldValueTypeInvalid: 'Invalid value',
};

/** As `badValue`: the message names no value (upstream OmitValueType). */
export const omitValue: unique symbol = Symbol('omitted');

/** What a Status's cause says: the error without its field (upstream Error.ErrorBody). */
export function fieldErrorMessage(error: FieldError): string {
  const detail = error.detail === undefined || error.detail === '' ? '' : `: ${error.detail}`;
  switch (error.type) {
    case 'FieldValueRequired':
    case 'FieldValueForbidden':
    case 'FieldValueTooLong':
    case 'InternalError':
      return typeTexts[error.type] + detail;
    default:
      if (error.badValue === omitValue) return typeTexts[error.type] + detail;
      return `${typeTexts[error.type]}: ${goValue(error.badValue)}${detail}`;
  }
}

/** The error with its field, as a Status message lists it: upstream Error(). */
export function fieldErrorText(error: FieldError): string {
  return `${error.field}: ${fieldErrorMessage(error)}`;
}

/** A value as upstream prints it: strings as %q, all else as encoding/json does (<, > and & escaped, no spaces). */
function goValue(value: unknown): string {
  if (typeof value === 'string') return goQuote(value);
  if (value === undefined || value === null) return 'null';
  if (typeof value !== 'object') return String(value);
  return JSON.stringify(value).replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}

const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

/** A text as Go's %q prints it. */
export function goQuote(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is escaped
  return `"${text.replace(/["\\\x00-\x1f\x7f]/g, (c) => (c === '\x07' ? '\\a' : (escapes[c] ?? `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)))}"`;
}

/** A map as encoding/json prints it: sorted by key. Undefined prints as null. */
export function goMap<T>(map: Readonly<Record<string, T>> | undefined): Readonly<Record<string, T>> | null {
  if (map === undefined) return null;
  const result: Record<string, T> = {};
  for (const key of Object.keys(map).sort()) result[key] = map[key] as T;
  return result;
}
