import { type CelType, dyn } from '../type.ts';
import { fail, fromJson, noSuchOverload, type Value } from '../value.ts';

/** One call of a function: its arguments, the receiver first, with their static types. */
export interface Call {
  readonly arguments: readonly Value[];
  readonly types: readonly CelType[];
}

/** What a function does. It fails by throwing a CelFailure. */
export type CelFunction = (call: Call) => Value;

/** The items of a list argument as values. */
export function itemsOf(call: Call, index: number): readonly Value[] {
  const value = call.arguments[index];
  if (!Array.isArray(value)) return fail(noSuchOverload);
  const type = call.types[index];
  const element = type?.kind === 'list' ? type.element : dyn;
  return value.map((item) => fromJson(item, element));
}

export function textAt(call: Call, index: number): string {
  const value = call.arguments[index];
  return typeof value === 'string' ? value : fail(noSuchOverload);
}

export function intAt(call: Call, index: number): bigint {
  const value = call.arguments[index];
  return typeof value === 'bigint' ? value : fail(noSuchOverload);
}

/** The characters of a string, as CEL counts them. */
export function charsOf(text: string): readonly string[] {
  return [...text];
}
