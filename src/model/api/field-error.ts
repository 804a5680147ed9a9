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
