import type { FieldError } from '../api/field-error.ts';
import type { RequestOptions } from '../api/request.ts';
import { invalid as invalidStatus } from '../api/status.ts';
import { forbidden, invalid, notSupported, tooLong } from '../api/validation/field-errors.ts';
import { refuse } from './refusal.ts';

const fieldValidations = ['', 'Ignore', 'Strict', 'Warn'];
const fieldManagerBytesMax = 128;

function checkDryRun(options: RequestOptions, out: FieldError[]): void {
  if (options.dryRun === undefined || options.dryRun.length === 0) return;
  if (options.dryRun.some((value) => value !== 'All')) out.push(notSupported('dryRun', options.dryRun, ['All']));
}

function checkFieldManager(options: RequestOptions, out: FieldError[]): void {
  const manager = options.fieldManager ?? '';
  if (manager.length > fieldManagerBytesMax) out.push(tooLong('fieldManager', fieldManagerBytesMax));
  for (let i = 0; i < manager.length; i++) {
    const code = manager.codePointAt(i) ?? 0;
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) {
      out.push(
        invalid('fieldManager', manager, `invalid character U+${code.toString(16).toUpperCase().padStart(4, '0')} (at position ${i})`),
      );
    }
  }
}

function checkFieldValidation(options: RequestOptions, out: FieldError[]): void {
  const value = options.fieldValidation ?? '';
  if (!fieldValidations.includes(value)) out.push(notSupported('fieldValidation', value, fieldValidations));
}

function end(kind: string, errors: readonly FieldError[]): void {
  if (errors.length > 0) refuse(invalidStatus({ group: 'meta.k8s.io', kind }, '', errors));
}

/** Upstream `metav1/validation`: options of a create or update. */
export function checkWriteOptions(kind: 'CreateOptions' | 'UpdateOptions', options: RequestOptions): void {
  if (options.dryRun === undefined && options.fieldManager === undefined && options.fieldValidation === undefined) return;
  const errors: FieldError[] = [];
  checkFieldManager(options, errors);
  checkDryRun(options, errors);
  checkFieldValidation(options, errors);
  end(kind, errors);
}

export function checkPatchOptions(options: RequestOptions, isApply: boolean): void {
  const errors: FieldError[] = [];
  if (isApply) {
    if ((options.fieldManager ?? '') === '')
      errors.push({ type: 'FieldValueRequired', field: 'fieldManager', detail: 'is required for apply patch' });
  } else if (options.force !== undefined) errors.push(forbidden('force', 'may not be specified for non-apply patch'));
  checkFieldManager(options, errors);
  checkDryRun(options, errors);
  checkFieldValidation(options, errors);
  end('PatchOptions', errors);
}

export function checkDeleteOptions(options: RequestOptions): void {
  const errors: FieldError[] = [];
  if (options.orphanDependents !== undefined && options.propagationPolicy !== undefined) {
    errors.push(invalid('propagationPolicy', options.propagationPolicy, 'orphanDependents and deletionPropagation cannot be both set'));
  }
  if (options.propagationPolicy !== undefined && !['Foreground', 'Background', 'Orphan'].includes(options.propagationPolicy)) {
    errors.push(notSupported('propagationPolicy', options.propagationPolicy, ['Foreground', 'Background', 'Orphan', 'nil']));
  }
  checkDryRun(options, errors);
  end('DeleteOptions', errors);
}

/** Upstream `metainternalversion/validation.ValidateListOptions`. */
export function checkListOptions(options: RequestOptions, isWatch: boolean): void {
  const errors: FieldError[] = [];
  const match = options.resourceVersionMatch ?? '';
  const version = options.resourceVersion ?? '';
  const field = 'resourceVersionMatch';
  if (isWatch) {
    if (options.sendInitialEvents !== undefined) {
      if (match !== 'NotOlderThan')
        errors.push(forbidden(field, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
      if (match !== '' && match !== 'NotOlderThan') errors.push(notSupported(field, match, ['NotOlderThan']));
      if (options.continue !== undefined && options.continue !== '')
        errors.push(forbidden(field, 'resourceVersionMatch is forbidden when continue is provided'));
    } else {
      if (match !== '') errors.push(forbidden(field, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'));
      if (options.continue !== undefined && options.continue !== '')
        errors.push(forbidden(field, 'resourceVersionMatch is forbidden when continue is provided'));
    }
    return end('ListOptions', errors);
  }
  if (match !== '') {
    if (version === '') errors.push(forbidden(field, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
    if ((options.continue ?? '') !== '') errors.push(forbidden(field, 'resourceVersionMatch is forbidden when continue is provided'));
    if (match !== 'Exact' && match !== 'NotOlderThan') errors.push(notSupported(field, match, ['Exact', 'NotOlderThan', '']));
    if (match === 'Exact' && version === '0')
      errors.push(forbidden(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  if (options.sendInitialEvents !== undefined) errors.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  end('ListOptions', errors);
}
