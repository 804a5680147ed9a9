import { type FieldErrors, invalid } from './field-errors.ts';

/** File paths inside volumes and on hosts. */

/** validatePathNoBacksteps. */
export function checkNoBacksteps(path: string, field: string, out: FieldErrors): void {
  if (path.includes('..') && path.split('/').includes('..')) out.push(invalid(field, path, "must not contain '..'"));
}

/** validateLocalDescendingPath. */
export function checkLocalDescendingPath(path: string, field: string, out: FieldErrors): void {
  if (path.startsWith('/')) out.push(invalid(field, path, 'must be a relative path'));
  checkNoBacksteps(path, field, out);
}

/** ValidateLocalNonReservedPath. */
export function checkLocalNonReservedPath(path: string, field: string, out: FieldErrors): void {
  checkLocalDescendingPath(path, field, out);
  if (path.startsWith('..') && !path.startsWith('../')) out.push(invalid(field, path, "must not start with '..'"));
}
