import type { Declared } from '../cel/declared.ts';
import { unitsUnknown } from '../cel/cost.ts';
import type { ValidationRule } from '../types.ts';
import { type FieldErrors, forbidden, invalid, notSupported, required } from '../validation/field-errors.ts';
import { type CompiledRule, compiledRules } from './compiled-rule.ts';
import { declaredType, requestBytesMax } from './declared-type.ts';
import { goRule } from './go-definition.ts';
import { typeOfProperty } from './rule-validation.ts';
import type { Schema } from './structural-schema.ts';

/** Upstream StaticEstimatedCostLimit and StaticEstimatedCRDCostLimit. */
const ruleUnitsMax = 10_000_000;
const definitionUnitsMax = 100_000_000;
const expensiveShown = 4;
const reasons = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];
const advice = '(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)';

/** What can be said of a node's rules without compiling them. */
export function checkRuleTexts(schema: Schema, path: string, out: FieldErrors): void {
  (schema['x-kubernetes-validations'] ?? []).forEach((rule, i) => checkTexts(rule, schema, `${path}.x-kubernetes-validations[${i}]`, out));
}

function checkTexts(rule: ValidationRule, schema: Schema, at: string, out: FieldErrors): void {
  const { rule: text = '', message = '', messageExpression = '', reason, fieldPath = '' } = rule;
  const hasLines = (value: string): boolean => /[\n\r]/.test(value);
  if (text.trim() === '') out.push(required(`${at}.rule`, 'rule is not specified'));
  else if (message !== '' && message.trim() === '') out.push(invalid(`${at}.message`, message, 'message must be non-empty if specified'));
  else if (hasLines(message.trim())) out.push(invalid(`${at}.message`, message, 'message must not contain line breaks'));
  else if (hasLines(text.trim()) && message.trim() === '')
    out.push(required(`${at}.message`, 'message must be specified if rule contains line breaks'));
  if (messageExpression !== '' && messageExpression.trim() === '')
    out.push(required(`${at}.messageExpression`, 'messageExpression must be non-empty if specified'));
  if (reason !== undefined && !reasons.includes(reason)) out.push(notSupported(`${at}.reason`, reason, reasons));
  if (fieldPath === '') return;
  if (fieldPath.trim() === '') out.push(invalid(`${at}.fieldPath`, fieldPath, 'fieldPath must be non-empty if specified'));
  if (hasLines(fieldPath)) out.push(invalid(`${at}.fieldPath`, fieldPath, 'fieldPath must not contain line breaks'));
  if (!isFieldPath(fieldPath, schema)) out.push(invalid(`${at}.fieldPath`, fieldPath, 'fieldPath must be a valid path'));
}

/** Whether `.a['b']` leads to a field of the schema. */
function isFieldPath(path: string, schema: Schema): boolean {
  const steps = [...path.matchAll(/\.([^.[\]]+)|\['((?:[^'\\]|\\.)*)'\]|([\s\S])/g)];
  let at: Schema | undefined = schema;
  for (const [, name, quoted, rest] of steps) {
    const step = name ?? quoted?.replace(/\\(.)/g, '$1');
    if (step === undefined || rest !== undefined || at === undefined) return false;
    const additional = at.additionalProperties as unknown;
    if (at.properties !== undefined) at = at.properties[step] as Schema | undefined;
    else at = typeof additional === 'object' ? (additional as Schema) : undefined;
    if (at === undefined) return false;
  }
  return steps.length > 0;
}

interface Expensive {
  readonly field: string;
  readonly units: number;
}

/** Compiles all rules of a schema that is valid otherwise, and adds up what they may cost. */
export function checkRules(schema: Schema, path: string, out: FieldErrors): void {
  const declared = declaredType(schema, true);
  if (declared === undefined) return;
  const check = new RuleCheck(out);
  check.visit(schema, declared, { path, cardinality: 1, uncorrelated: undefined });
  check.finish(path);
}

interface Place {
  readonly path: string;
  /** How many values of the node one object may have; undefined: as many as fit in a request. */
  readonly cardinality: number | undefined;
  /** The list or map above whose items cannot be told to be the same as before. */
  readonly uncorrelated: string | undefined;
}

class RuleCheck {
  private readonly out: FieldErrors;
  private units = 0;
  private expensive: readonly Expensive[] = [];

  constructor(out: FieldErrors) {
    this.out = out;
  }

  visit(schema: Schema, declared: Declared, place: Place): void {
    const isAtomicMap = schema['x-kubernetes-map-type'] === 'atomic';
    const below = { ...place, uncorrelated: place.uncorrelated ?? (isAtomicMap ? place.path : undefined) };
    for (const name of Object.keys(schema.properties ?? {}).sort()) {
      const child = schema.properties?.[name] as Schema;
      const type = typeOfProperty(name, child, declared);
      if (type !== undefined) this.visit(child, type, { ...below, path: `${place.path}.properties[${name}]` });
    }
    const times = (count: number | undefined): number | undefined =>
      place.cardinality === undefined || count === undefined ? undefined : place.cardinality * count;
    const additional = schema.additionalProperties as unknown;
    if (typeof additional === 'object' && declared.element !== undefined)
      this.visit(additional as Schema, declared.element, {
        ...below,
        path: `${place.path}.additionalProperties`,
        cardinality: times(schema.maxProperties),
      });
    const items = schema.items as unknown as Schema | undefined;
    if (items !== undefined && declared.element !== undefined) {
      const isCorrelated = schema['x-kubernetes-list-type'] === 'map';
      this.visit(items, declared.element, {
        path: `${place.path}.items`,
        cardinality: times(schema.maxItems),
        uncorrelated: place.uncorrelated ?? (isCorrelated ? undefined : place.path),
      });
    }
    compiledRules(schema, declared).forEach((rule, i) => this.rule(rule, declared, place, `${place.path}.x-kubernetes-validations[${i}]`));
  }

  private rule(compiled: CompiledRule, declared: Declared, place: Place, at: string): void {
    const { rule } = compiled;
    const times = place.cardinality ?? Math.floor(requestBytesMax / (declared.bytesMin + 1));
    this.charge(`${at}.rule`, 'estimated rule cost', Math.min(compiled.unitsMax * times, unitsUnknown));
    if (compiled.error !== undefined) this.out.push(invalid(`${at}.rule`, goRule(rule), compiled.error));
    if (compiled.messageError !== undefined) this.out.push(invalid(`${at}.messageExpression`, goRule(rule), compiled.messageError));
    else if (compiled.message !== undefined)
      this.charge(`${at}.messageExpression`, 'estimated messageExpression cost', compiled.messageUnitsMax);
    if (compiled.usesOldSelf) {
      if (place.uncorrelated !== undefined) {
        const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${place.uncorrelated}`;
        this.out.push(invalid(`${at}.rule`, rule.rule, why));
      }
    } else if (rule.optionalOldSelf !== undefined)
      this.out.push(invalid(`${at}.optionalOldSelf`, rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'));
  }

  private charge(field: string, what: string, units: number): void {
    if (units > ruleUnitsMax) this.out.push(forbidden(field, excess(what, units, ruleUnitsMax)));
    this.units = Math.min(this.units + units, unitsUnknown);
    if (units < definitionUnitsMax / 100) return;
    this.expensive = [...this.expensive, { field, units }].sort((a, b) => b.units - a.units).slice(0, expensiveShown);
  }

  finish(path: string): void {
    if (this.units <= definitionUnitsMax) return;
    for (const { field } of this.expensive)
      this.out.push(forbidden(field, 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema'));
    const what = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema';
    this.out.push(forbidden(path, excess(what, this.units, definitionUnitsMax)));
  }
}

function excess(what: string, units: number, limit: number): string {
  const times = units / limit;
  const factor = times > 100 ? 'more than 100x' : times < 1.5 ? `${times.toFixed(6)}x` : `${times.toFixed(1)}x`;
  return `${what} exceeds budget by factor of ${factor} ${advice}`;
}
