import type { FieldError } from '../field-error.ts';
import { equalJson } from '../equal.ts';
import { parseTime } from '../time.ts';
import { duplicate, invalid, notSupported, required, tooMany } from '../validation/field-errors.ts';
import type { Schema } from './structural-schema.ts';
import { goRegExp } from './go-regexp.ts';

type Map = Readonly<Record<string, unknown>>;

/** The kind of a JSON value in the words of go-openapi. */
function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function fits(type: string, value: unknown): boolean {
  const kind = kindOf(value);
  return kind === type || (type === 'number' && kind === 'integer');
}

/** What validation found: the errors, and whether CEL rules would still have been checked. */
export interface SchemaErrors {
  readonly errors: readonly FieldError[];
  readonly blocksRules: boolean;
}

interface Found {
  readonly errors: FieldError[];
  blocksRules: boolean;
}

/**
 * Values against a structural schema, with the messages of `apiextensions-apiserver`. What an update leaves as it was is not looked at
 * (KEP-4008, ratcheting), where old and new can be told to be the same: fields, and items of lists by key.
 */
export function validateSchema(schema: Schema, value: unknown, previous?: unknown): SchemaErrors {
  const found: Found = { errors: [], blocksRules: false };
  check(schema, value, '', found, previous);
  return found;
}

function typeError(path: string, value: unknown, type: string, found: Found): void {
  found.blocksRules = true;
  const kind = kindOf(value);
  found.errors.push({
    type: 'FieldValueTypeInvalid',
    field: path,
    badValue: kind,
    detail: `${path} in body must be of type ${type}: ${JSON.stringify(kind)}`,
  });
}

function check(schema: Schema, value: unknown, path: string, found: Found, previous?: unknown): void {
  if (value === null && schema.nullable === true) return;
  if (previous !== undefined && path !== '' && equalJson(value, previous)) return;
  if (schema['x-kubernetes-int-or-string'] === true) {
    if (typeof value !== 'string' && !Number.isInteger(value)) typeError(path, value, 'integer,string', found);
    return checkCombinations(schema, value, path, found);
  }
  const isOfType = schema.type === undefined || fits(schema.type, value);
  if (!isOfType) typeError(path, value, schema.type ?? '', found);
  checkCombinations(schema, value, path, found);
  if (!isOfType) return;
  if (schema.enum !== undefined && !schema.enum.some((allowed) => equalJson(allowed, value))) {
    found.blocksRules = true;
    found.errors.push(
      notSupported(
        path,
        value,
        schema.enum.map((allowed) => (typeof allowed === 'string' ? allowed : JSON.stringify(allowed))),
      ),
    );
  }
  if (typeof value === 'string') checkText(schema, value, path, found);
  else if (typeof value === 'number') checkNumber(schema, value, path, found);
  else if (Array.isArray(value)) checkList(schema, value, path, found, previous);
  else if (typeof value === 'object' && value !== null) checkMap(schema, value as Map, path, found, previous);
}

/** anyOf, oneOf, allOf and not. */
function checkCombinations(schema: Schema, value: unknown, path: string, found: Found): void {
  if (schema.anyOf === undefined && schema.oneOf === undefined && schema.allOf === undefined && schema.not === undefined) return;
  const fail = (text: string): void => {
    found.errors.push(invalid('<nil>', '', `${JSON.stringify(path)} must ${text}`));
  };
  const tryOut = (part: unknown): Found => {
    const result: Found = { errors: [], blocksRules: false };
    check(part as Schema, value, path, result);
    return result;
  };
  const merge = (result: Found | undefined): void => {
    if (result === undefined) return;
    found.errors.push(...result.errors);
    if (result.blocksRules) found.blocksRules = true;
  };
  const isValid = ({ errors }: Found): boolean => errors.length === 0;
  if (schema.anyOf !== undefined && schema.anyOf.length > 0) {
    const results = schema.anyOf.map(tryOut);
    if (!results.some(isValid)) {
      fail('validate at least one schema (anyOf)');
      merge(results[0]);
    }
  }
  if (schema.oneOf !== undefined && schema.oneOf.length > 0) {
    const results = schema.oneOf.map(tryOut);
    const count = results.filter(isValid).length;
    if (count !== 1)
      fail(`validate one and only one schema (oneOf). ${count === 0 ? 'Found none valid' : `Found ${count} valid alternatives`}`);
    if (count === 0) merge(results[0]);
  }
  if (schema.allOf !== undefined && schema.allOf.length > 0) {
    const results = schema.allOf.map(tryOut);
    const count = results.filter(isValid).length;
    for (const result of results) merge(result);
    if (count !== results.length) fail(`validate all the schemas (allOf)${count === 0 ? '. None validated' : ''}`);
  }
  if (schema.not !== undefined && isValid(tryOut(schema.not))) fail('not validate the schema (not)');
}

function checkText(schema: Schema, value: string, path: string, found: Found): void {
  const add = (detail: string): void => {
    found.errors.push(invalid(path, value, `${path} in body ${detail}`));
  };
  if (schema.maxLength !== undefined && [...value].length > schema.maxLength) {
    found.blocksRules = true;
    found.errors.push({ type: 'FieldValueTooLong', field: path, detail: `may not be more than ${schema.maxLength} bytes` });
  }
  if (schema.minLength !== undefined && [...value].length < schema.minLength) add(`should be at least ${schema.minLength} chars long`);
  else if (schema.pattern !== undefined && !goRegExp(schema.pattern).test(value)) add(`should match '${schema.pattern}'`);
  if (schema.format === 'date-time' && parseTime(value) === undefined) {
    found.blocksRules = true;
    found.errors.push({
      type: 'FieldValueTypeInvalid',
      field: path,
      badValue: value,
      detail: `${path} in body must be of type date-time: ${JSON.stringify(value)}`,
    });
  }
}

function checkNumber(schema: Schema, value: number, path: string, found: Found): void {
  const add = (detail: string): void => {
    found.errors.push(invalid(path, value, `${path} in body should be ${detail}`));
  };
  const { minimum, maximum } = schema;
  if (maximum !== undefined && (schema.exclusiveMaximum === true ? value >= maximum : value > maximum))
    add(`less than ${schema.exclusiveMaximum === true ? '' : 'or equal to '}${maximum}`);
  if (minimum !== undefined && (schema.exclusiveMinimum === true ? value <= minimum : value < minimum))
    add(`greater than ${schema.exclusiveMinimum === true ? '' : 'or equal to '}${minimum}`);
  if (schema.multipleOf !== undefined && value % schema.multipleOf !== 0) add(`a multiple of ${schema.multipleOf}`);
}

function checkList(schema: Schema, value: readonly unknown[], path: string, found: Found, previous: unknown): void {
  if (schema.maxItems !== undefined && value.length > schema.maxItems) {
    found.blocksRules = true;
    found.errors.push(tooMany(path, value.length, schema.maxItems));
  }
  if (schema.minItems !== undefined && value.length < schema.minItems)
    found.errors.push(invalid(path, value.length, `${path} in body should have at least ${schema.minItems} items`));
  const items = schema.items as unknown as Schema | undefined;
  if (items !== undefined) value.forEach((item, i) => check(items, item, `${path}[${i}]`, found, itemBefore(schema, item, previous)));
  if (schema['x-kubernetes-list-type'] === 'set') {
    value.forEach((item, i) => {
      if (value.slice(0, i).some((other) => equalJson(other, item))) found.errors.push(duplicate(`${path}[${i}]`, item));
    });
  }
  const keys = schema['x-kubernetes-list-map-keys'];
  if (schema['x-kubernetes-list-type'] === 'map' && keys !== undefined) {
    const keyOf = (item: unknown): Map =>
      Object.fromEntries(keys.map((key) => [key, (item as Map | null)?.[key]]).filter(([, v]) => v !== undefined));
    value.forEach((item, i) => {
      const own = keyOf(item);
      if (value.slice(0, i).some((other) => equalJson(keyOf(other), own))) found.errors.push(duplicate(`${path}[${i}]`, own));
    });
  }
}

/** The item of the same keys in the list before. */
function itemBefore(schema: Schema, item: unknown, previous: unknown): unknown {
  const keys = schema['x-kubernetes-list-type'] === 'map' ? schema['x-kubernetes-list-map-keys'] : undefined;
  if (keys === undefined || !Array.isArray(previous)) return undefined;
  return previous.find((other) => keys.every((key) => equalJson((item as Map | null)?.[key], (other as Map | null)?.[key])));
}

function checkMap(schema: Schema, value: Map, path: string, found: Found, previous: unknown): void {
  const before = typeof previous === 'object' && previous !== null && !Array.isArray(previous) ? (previous as Map) : {};
  const join = (key: string): string => (path === '' ? key : `${path}.${key}`);
  for (const key of schema.required ?? []) {
    if (value[key] !== undefined) continue;
    found.blocksRules = true;
    found.errors.push(required(join(key)));
  }
  if (schema['x-kubernetes-embedded-resource'] === true) {
    for (const key of ['apiVersion', 'kind']) {
      if (value[key] !== undefined) continue;
      found.blocksRules = true;
      found.errors.push(required(join(key)));
    }
  }
  if (schema.maxProperties !== undefined && Object.keys(value).length > schema.maxProperties)
    found.errors.push(tooMany(path, Object.keys(value).length, schema.maxProperties));
  const additional = schema.additionalProperties as unknown as Schema | boolean | undefined;
  for (const key of Object.keys(value).sort()) {
    const child = (schema.properties?.[key] as Schema | undefined) ?? (typeof additional === 'object' ? additional : undefined);
    if (child !== undefined) check(child, value[key], join(key), found, before[key]);
  }
}
