/**
 * field.Error of upstream `k8s.io/apimachinery/pkg/util/validation/field`: one thing that is wrong with one field.
 * `reason` is what a Status's cause carries; `message` is built by `fieldErrorMessage` in the one place that prints it.
 */
export type FieldErrorType =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'InternalError'
  | 'FieldValueTypeInvalid';

export interface FieldError {
  readonly type: FieldErrorType;
  /** JSON path as Kubernetes prints it: spec.containers[0].name. */
  readonly field: string;
  readonly badValue?: unknown;
  readonly detail?: string;
}

const typeTexts: Readonly<Record<FieldErrorType, string>> = {
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

/** A text as Go's %q prints it. */
export function goQuote(text: string): string {
  return JSON.stringify(text).replace(/\\u00([01][0-9a-f])/g, '\\x$1').replace(/\\x07/g, '\\a').replace(/\\x0b/g, '\\v').replace(/\u007f/g, '\\x7f');
}

function valueText(value: unknown): string {
  if (typeof value === 'string') return goQuote(value);
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'object') return JSON.stringify(value).replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
  return String(value);
}

/** What a Status's cause says: the error without its field (upstream Error.ErrorBody). */
export function fieldErrorMessage(error: FieldError): string {
  const detail = error.detail !== undefined && error.detail !== '' ? `: ${error.detail}` : '';
  switch (error.type) {
    case 'FieldValueRequired':
    case 'FieldValueForbidden':
    case 'FieldValueTooLong':
    case 'InternalError':
      return typeTexts[error.type] + detail;
    default:
      return `${typeTexts[error.type]}: ${valueText(error.badValue)}${detail}`;
  }
}

/** The errors as one text, repeated ones once: upstream ErrorList.ToAggregate. */
export function fieldErrorsText(errors: readonly FieldError[]): string {
  const texts = new Set(errors.map((error) => `${error.field}: ${fieldErrorMessage(error)}`));
  const all = [...texts];
  return all.length === 1 ? (all[0] ?? '') : `[${all.join(', ')}]`;
}
