import { type FieldErrors, invalid } from './field-errors.ts';
import { isPercent, isPortName } from './names.ts';

/**
 * Numbers and what may stand for one: ports, user ids, int-or-percent.
 * Upstream: k8s.io/apimachinery/pkg/util/validation and pkg/apis/apps/validation.
 */
export const negativeMessage = 'must be greater than or equal to 0';
export const int32Max = 2_147_483_647;

/** validation.InclusiveRangeError. */
export function rangeMessage(low: number, high: number): string {
  return `must be between ${low} and ${high}, inclusive`;
}

/** ValidateNonnegativeField. Undefined counts as 0. */
export function checkNonNegative(value: number | undefined, field: string, out: FieldErrors): void {
  if (value !== undefined && value < 0) out.push(invalid(field, value, negativeMessage));
}

/** validation.IsValidPortNum. */
export function checkPortNumber(port: number, field: string, out: FieldErrors): void {
  if (port < 1 || port > 65_535) out.push(invalid(field, port, rangeMessage(1, 65_535)));
}

/** ValidatePortNumOrName. */
export function checkPortNumberOrName(port: number | string, field: string, out: FieldErrors): void {
  if (typeof port === 'number') checkPortNumber(port, field, out);
  else for (const message of isPortName(port)) out.push(invalid(field, port, message));
}

/** validation.IsValidUserID and IsValidGroupID. */
export function checkUnixId(id: number | undefined, field: string, out: FieldErrors): void {
  if (id !== undefined && (id < 0 || id > int32Max)) out.push(invalid(field, id, rangeMessage(0, int32Max)));
}

/** ValidatePositiveIntOrPercent. */
export function checkNonNegativeIntOrPercent(value: number | string, field: string, out: FieldErrors): void {
  if (typeof value === 'number') checkNonNegative(value, field, out);
  else for (const message of isPercent(value)) out.push(invalid(field, value, message));
}

/** IsNotMoreThan100Percent. */
export function checkAtMost100Percent(value: number | string, field: string, out: FieldErrors): void {
  if (typeof value === 'string' && isPercent(value).length === 0 && Number(value.slice(0, -1)) > 100) {
    out.push(invalid(field, value, 'must not be greater than 100%'));
  }
}

/** getIntOrPercentValue: the percentage, or the number itself. */
export function intOrPercentNumber(value: number | string | undefined): number {
  if (typeof value !== 'string') return value ?? 0;
  return isPercent(value).length === 0 ? Number(value.slice(0, -1)) : 0;
}
