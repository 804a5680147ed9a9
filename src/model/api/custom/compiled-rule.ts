import { compile, type Program } from '../cel/compile.ts';
import { CostEstimator } from '../cel/cost.ts';
import type { Declared } from '../cel/declared.ts';
import { type CelType, optional } from '../cel/type.ts';
import type { ValidationRule } from '../types.ts';
import type { Schema } from './structural-schema.ts';

/** One entry of x-kubernetes-validations, compiled: upstream `apiextensions-apiserver/pkg/apiserver/schema/cel/compilation.go`. */
export interface CompiledRule {
  readonly rule: ValidationRule;
  readonly program: Program | undefined;
  readonly error: string | undefined;
  readonly message: Program | undefined;
  readonly messageError: string | undefined;
  /** A transition rule: it compares with the value before. */
  readonly usesOldSelf: boolean;
  /** The most that one evaluation may cost. */
  readonly unitsMax: number;
  readonly messageUnitsMax: number;
}

const known = new WeakMap<Schema, readonly CompiledRule[]>();

/** The rules of a node whose values have a type. A node is compiled once: definitions are shared by reference, and seen again and again. */
export function compiledRules(schema: Schema, declared: Declared): readonly CompiledRule[] {
  let rules = known.get(schema);
  if (rules === undefined) {
    rules = (schema['x-kubernetes-validations'] ?? []).map((rule) => compileRule(rule, declared));
    known.set(schema, rules);
  }
  return rules;
}

function compileRule(rule: ValidationRule, declared: Declared): CompiledRule {
  const self = declared.type;
  const variables = new Map<string, CelType>([
    ['self', self],
    ['oldSelf', rule.optionalOldSelf === true ? optional(self) : self],
  ]);
  const units = (program: Program | undefined): number =>
    program === undefined
      ? 0
      : new CostEstimator(
          program.checked,
          new Map([
            ['self', declared],
            ['oldSelf', declared],
          ]),
        ).unitsMax(program.ast);
  const { program, error } = typed(rule.rule ?? '', variables, 'bool', '');
  const { program: message, error: messageError } = typed(rule.messageExpression ?? '', variables, 'string', 'messageExpression ');
  return {
    rule,
    program,
    error,
    message,
    messageError,
    usesOldSelf: program?.checked.used.has('oldSelf') === true || message?.checked.used.has('oldSelf') === true,
    unitsMax: units(program),
    messageUnitsMax: units(message),
  };
}

interface Typed {
  readonly program: Program | undefined;
  readonly error: string | undefined;
}

function typed(text: string, variables: ReadonlyMap<string, CelType>, wanted: 'bool' | 'string', what: string): Typed {
  if (text.trim() === '') return { program: undefined, error: undefined };
  const compiled = compile(text, variables);
  if ('issues' in compiled) return { program: undefined, error: `${what}compilation failed: ${compiled.issues}` };
  const { type } = compiled.program;
  if (type.kind === 'simple' && type.name === wanted) return { program: compiled.program, error: undefined };
  const error = wanted === 'bool' ? 'cel expression must evaluate to a bool' : 'messageExpression must evaluate to a string';
  return { program: undefined, error };
}
