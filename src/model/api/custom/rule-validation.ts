import type { Outcome } from '../cel/compile.ts';
import type { Declared } from '../cel/declared.ts';
import { fromJson, none, Optional, type Value } from '../cel/value.ts';
import { equalJson } from '../equal.ts';
import type { FieldError } from '../field-error.ts';
import type { ValidationRule } from '../types.ts';
import { fieldErrorText, omitValue } from '../validation/field-errors.ts';
import { type CompiledRule, compiledRules } from './compiled-rule.ts';
import { declaredType, escapeName } from './declared-type.ts';
import type { Schema } from './structural-schema.ts';

type JsonMap = Readonly<Record<string, unknown>>;

/** A schema with rules in it or below it. */
export interface RuleNode {
  readonly schema: Schema;
  readonly declared: Declared;
  readonly rules: readonly CompiledRule[];
  readonly items: RuleNode | undefined;
  readonly additional: RuleNode | undefined;
  readonly properties: ReadonlyMap<string, RuleNode>;
}

/** Upstream celconfig.RuntimeCELCostBudget: what all rules of one object may cost together. */
const unitsMax = 10_000_000;
const messageBytesMax = 5 * 1024;

/** The rules of a schema, compiled; undefined when there are none. */
export function ruleTree(schema: Schema, declared: Declared | undefined = declaredType(schema, true)): RuleNode | undefined {
  if (declared === undefined) return undefined;
  const rules = compiledRules(schema, declared);
  const below = (child: Schema | undefined, type: Declared | undefined): RuleNode | undefined =>
    child === undefined || type === undefined ? undefined : ruleTree(child, type);
  const items = below(schema.items as unknown as Schema | undefined, declared.element);
  const additional =
    typeof schema.additionalProperties === 'object' ? below(schema.additionalProperties as unknown as Schema, declared.element) : undefined;
  const properties = new Map<string, RuleNode>();
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    const node = below(child as Schema, typeOfProperty(name, child as Schema, declared));
    if (node !== undefined) properties.set(name, node);
  }
  if (rules.length === 0 && items === undefined && additional === undefined && properties.size === 0) return undefined;
  return { schema, declared, rules, items, additional, properties };
}

/** A property whose name no expression can write has a type all the same. */
export function typeOfProperty(name: string, child: Schema, declared: Declared): Declared | undefined {
  const escaped = escapeName(name);
  return escaped === undefined ? declaredType(child, child['x-kubernetes-embedded-resource'] === true) : declared.fields?.get(escaped);
}

/** What the rules found of an object. Failures of values that an update leaves alone are only warned of. */
export interface RuleFindings {
  readonly errors: readonly FieldError[];
  readonly warnings: readonly string[];
}

export function validateRules(node: RuleNode, object: unknown, previous: unknown): RuleFindings {
  const run = new RuleRun();
  run.visit(node, object, { path: undefined, old: previous, isUnchanged: previous !== undefined && equalJson(object, previous) });
  return run;
}

/** Where a value lies, and the value before it if the two can be told to be the same. */
interface Place {
  readonly path: string | undefined;
  readonly old: unknown;
  /** It, or the nearest value around it that has one before, is as it was. */
  readonly isUnchanged: boolean;
}

class RuleRun implements RuleFindings {
  readonly errors: FieldError[] = [];
  readonly warnings: string[] = [];
  private left = unitsMax;

  visit(node: RuleNode, value: unknown, place: Place): void {
    if (value === null || value === undefined || this.left < 0) return;
    for (const rule of node.rules) {
      if (this.left < 0) return;
      this.check(rule, node, value, place);
    }
    if (Array.isArray(value)) this.visitList(node, value, place);
    else if (typeof value === 'object') this.visitMap(node, value as JsonMap, place);
  }

  private visitList(node: RuleNode, value: readonly unknown[], place: Place): void {
    const { items } = node;
    if (items === undefined) return;
    const keys = node.schema['x-kubernetes-list-type'] === 'map' ? (node.schema['x-kubernetes-list-map-keys'] ?? []) : undefined;
    value.forEach((item, i) => {
      const old = keys === undefined || !Array.isArray(place.old) ? undefined : place.old.find((other) => sameKeys(item, other, keys));
      this.visit(items, item, inside(place, `${place.path ?? ''}[${i}]`, item, old));
    });
  }

  private visitMap(node: RuleNode, value: JsonMap, place: Place): void {
    const isCorrelated = node.schema['x-kubernetes-map-type'] !== 'atomic';
    const before = isCorrelated && typeof place.old === 'object' && place.old !== null ? (place.old as JsonMap) : {};
    const names = Object.keys(value).sort();
    if (node.additional !== undefined)
      for (const name of names)
        this.visit(node.additional, value[name], inside(place, `${place.path ?? '<nil>'}[${name}]`, value[name], before[name]));
    for (const name of names) {
      const child = node.properties.get(name);
      if (child === undefined) continue;
      const path = place.path === undefined ? name : `${place.path}.${name}`;
      this.visit(child, value[name], inside(place, path, value[name], before[name]));
    }
  }

  private check(compiled: CompiledRule, node: RuleNode, value: unknown, place: Place): void {
    const { rule, program } = compiled;
    const field = place.path ?? '<nil>';
    const fail = (detail: string): void => {
      this.errors.push({ type: 'FieldValueInvalid', field, badValue: node.schema.type ?? '', detail });
    };
    if (compiled.error !== undefined) return fail(`rule compile error: ${compiled.error}`);
    if (program === undefined) return;
    if (compiled.usesOldSelf && place.old === undefined && rule.optionalOldSelf !== true) return;
    const variables = variablesOf(node, value, place, rule);
    const outcome = program.run(variables);
    if (!this.pays(outcome)) {
      fail('validation failed due to running out of cost budget, no further validation rules will be run');
    } else if ('error' in outcome) this.failed(outcome.error, rule, fail);
    else if (outcome.value !== true) this.refuse(compiled, node, value, place, variables);
  }

  private pays({ units }: Outcome): boolean {
    this.left -= units;
    return this.left >= 0;
  }

  private failed(error: string, rule: ValidationRule, fail: (detail: string) => void): void {
    if (error.startsWith('no such overload'))
      return fail(`'${error}': call arguments did not match a supported operator, function or macro signature for rule: ${ruleText(rule)}`);
    if (!error.startsWith('operation cancelled')) return fail(`${error} evaluating rule: ${ruleText(rule)}`);
    fail(`'${error}': no further validation rules will be run due to call cost exceeds limit for rule: ${ruleText(rule)}`);
    this.left = -1;
  }

  private refuse(
    compiled: CompiledRule,
    node: RuleNode,
    value: unknown,
    place: Place,
    variables: (name: string) => Value | undefined,
  ): void {
    const { rule } = compiled;
    const message = this.messageOf(compiled, variables) ?? (rule.message ? rule.message.trim() : `failed rule: ${ruleText(rule)}`);
    const field = pathOf(place.path, rule.fieldPath);
    const isPlain = node.schema.type !== 'object' && node.schema.type !== 'array';
    const error = errorOf(rule.reason, field, isPlain ? value : omitValue, message);
    if (!compiled.usesOldSelf && place.isUnchanged) this.warnings.push(fieldErrorText(error));
    else this.errors.push(error);
  }

  /** What the message expression says, unless it fails or says nothing fit. */
  private messageOf({ message }: CompiledRule, variables: (name: string) => Value | undefined): string | undefined {
    if (message === undefined) return undefined;
    const outcome = message.run(variables);
    if (!this.pays(outcome) || 'error' in outcome || typeof outcome.value !== 'string') return undefined;
    const text = outcome.value.trim();
    return text === '' || text.length > messageBytesMax || text.includes('\n') ? undefined : text;
  }
}

function variablesOf(node: RuleNode, value: unknown, place: Place, rule: ValidationRule): (name: string) => Value | undefined {
  const { type } = node.declared;
  const old = place.old === undefined || place.old === null ? undefined : fromJson(place.old, type);
  return (name) => {
    if (name === 'self') return fromJson(value, type);
    return rule.optionalOldSelf === true ? (old === undefined ? none : new Optional(old)) : old;
  };
}

function inside(outer: Place, path: string, value: unknown, old: unknown): Place {
  if (old === undefined) return { path, old, isUnchanged: outer.isUnchanged };
  return { path, old, isUnchanged: outer.isUnchanged || equalJson(value, old) };
}

function sameKeys(a: unknown, b: unknown, keys: readonly string[]): boolean {
  return keys.every((key) => equalJson((a as JsonMap | null)?.[key], (b as JsonMap | null)?.[key]));
}

function ruleText(rule: ValidationRule): string {
  return rule.message ? rule.message.trim() : (rule.rule ?? '').trim();
}

/** `.a.b['c']` below a path. */
function pathOf(path: string | undefined, fieldPath: string | undefined): string {
  const steps = (fieldPath ?? '').replace(/\['((?:[^'\\]|\\.)*)'\]/g, (_, name: string) => `.${name.replace(/\\(.)/g, '$1')}`);
  if (steps === '') return path ?? '<nil>';
  return path === undefined ? steps.slice(1) : path + steps;
}

function errorOf(reason: string | undefined, field: string, badValue: unknown, detail: string): FieldError {
  switch (reason) {
    case 'FieldValueForbidden':
    case 'FieldValueRequired':
      return { type: reason, field, detail };
    case 'FieldValueDuplicate':
      return { type: 'FieldValueDuplicate', field, badValue };
    default:
      return { type: 'FieldValueInvalid', field, badValue, detail };
  }
}
