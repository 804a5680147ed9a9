import type { LabelSelector } from '../types.ts';
import { type FieldErrors, forbidden, invalid, required, tooLong } from './field-errors.ts';
import { byteLength, isLabelValue, isQualifiedName } from './names.ts';

/** Labels, annotations and label selectors. Upstream: k8s.io/apimachinery/pkg/apis/meta/v1/validation. */

type StringMap = Readonly<Record<string, string>>;

const annotationsSizeBytesMax = 256 * 1024;

/** The keys of a map, sorted: the order in which we report on a Go map, which has none. */
export function sortedKeys(map: Readonly<Record<string, unknown>>): readonly string[] {
  const keys = Object.keys(map);
  // Most maps have a few keys in order already; Array.prototype.sort takes a microsecond to find that out.
  for (let i = 1; i < keys.length; i++) if ((keys[i - 1] as string) > (keys[i] as string)) return keys.sort();
  return keys;
}

/** ValidateLabelName. */
export function checkLabelName(name: string, field: string, out: FieldErrors): void {
  for (const message of isQualifiedName(name)) out.push(invalid(field, name, message));
}

/** Texts known to be right: the same few are read over and over. Emptied when full, so they never decide anything. */
const goodNames = new Set<string>();
const goodValues = new Set<string>();
const goodSizeMax = 10_000;

function isGood(text: string, known: Set<string>, errorsOf: (text: string) => readonly string[]): boolean {
  if (known.has(text)) return true;
  if (errorsOf(text).length > 0) return false;
  if (known.size >= goodSizeMax) known.clear();
  known.add(text);
  return true;
}

function areGood(labels: StringMap): boolean {
  const keys = Object.keys(labels);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string;
    if (!isGood(key, goodNames, isQualifiedName) || !isGood(labels[key] ?? '', goodValues, isLabelValue)) return false;
  }
  return true;
}

/** ValidateLabels. */
export function checkLabels(labels: StringMap | undefined, field: string, out: FieldErrors): void {
  if (labels === undefined || areGood(labels)) return;
  for (const key of sortedKeys(labels)) {
    checkLabelName(key, field, out);
    const value = labels[key] ?? '';
    for (const message of isLabelValue(value)) out.push(invalid(field, value, message));
  }
}

/** ValidateAnnotations. */
export function checkAnnotations(annotations: StringMap | undefined, field: string, out: FieldErrors): void {
  if (annotations === undefined) return;
  let size = 0;
  for (const key of sortedKeys(annotations)) {
    for (const message of isQualifiedName(key.toLowerCase())) out.push(invalid(field, key, message));
    size += byteLength(key) + byteLength(annotations[key] ?? '');
  }
  if (size > annotationsSizeBytesMax) out.push(tooLong(field, annotationsSizeBytesMax));
}

/** ValidateLabelSelector. */
export function checkLabelSelector(selector: LabelSelector | undefined, field: string, out: FieldErrors, allowInvalidValues = false): void {
  if (selector === undefined) return;
  checkLabels(selector.matchLabels, `${field}.matchLabels`, out);
  const expressions = selector.matchExpressions;
  if (expressions === undefined) return;
  for (let i = 0; i < expressions.length; i++) {
    const expression = expressions[i];
    if (expression === undefined) continue;
    const path = `${field}.matchExpressions[${i}]`;
    const values = expression.values ?? [];
    switch (expression.operator as string) {
      case 'In':
      case 'NotIn':
        if (values.length === 0) out.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
        break;
      case 'Exists':
      case 'DoesNotExist':
        if (values.length > 0) out.push(forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
        break;
      default:
        out.push(invalid(`${path}.operator`, expression.operator ?? '', 'not a valid selector operator'));
    }
    checkLabelName(expression.key, `${path}.key`, out);
    if (allowInvalidValues) continue;
    for (let j = 0; j < values.length; j++) {
      const value = values[j] ?? '';
      for (const message of isLabelValue(value)) out.push(invalid(`${path}.values[${j}]`, value, message));
    }
  }
}

/** Whether a selector has no condition at all, and so selects everything. */
export function isEmptySelector(selector: LabelSelector): boolean {
  return sizeOf(selector.matchLabels) === 0 && (selector.matchExpressions?.length ?? 0) === 0;
}

function sizeOf(map: StringMap | undefined): number {
  return map === undefined ? 0 : Object.keys(map).length;
}

/**
 * Whether a selector matches labels; undefined where it is not a selector at all (LabelSelectorAsSelector fails).
 */
export function selectorMatches(selector: LabelSelector, labels: StringMap | undefined): boolean | undefined {
  let matches = true;
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (isQualifiedName(key).length > 0 || isLabelValue(value).length > 0) return undefined;
    if (labels?.[key] !== value) matches = false;
  }
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    if (isQualifiedName(key).length > 0 || values.some((v) => isLabelValue(v).length > 0)) return undefined;
    const actual = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
    switch (operator as string) {
      case 'In':
        if (values.length === 0) return undefined;
        if (actual === undefined || !values.includes(actual)) matches = false;
        break;
      case 'NotIn':
        if (values.length === 0) return undefined;
        if (actual !== undefined && values.includes(actual)) matches = false;
        break;
      case 'Exists':
      case 'DoesNotExist':
        if (values.length > 0) return undefined;
        if ((actual !== undefined) !== (operator === 'Exists')) matches = false;
        break;
      default:
        return undefined;
    }
  }
  return matches;
}

/** metav1.LabelSelector as encoding/json prints it. */
export function goSelector(selector: LabelSelector | undefined): unknown {
  if (selector === undefined) return null;
  const labels = selector.matchLabels;
  return {
    ...(labels !== undefined && sizeOf(labels) > 0
      ? { matchLabels: Object.fromEntries(sortedKeys(labels).map((k) => [k, labels[k]])) }
      : {}),
    ...(selector.matchExpressions !== undefined && selector.matchExpressions.length > 0
      ? {
          matchExpressions: selector.matchExpressions.map(({ key, operator, values }) => ({
            key,
            operator,
            ...(values !== undefined && values.length > 0 ? { values } : {}),
          })),
        }
      : {}),
  };
}
