import type { CelType } from '../../cel/type.ts';
import type { ValidatingAdmissionPolicy } from '../../types.ts';
import { admissionVariables, annotationTypes, compileExpression, conditionTypes, type Expression, messageTypes } from './expressions.ts';

type Spec = NonNullable<ValidatingAdmissionPolicy['spec']>;
type Validation = NonNullable<Spec['validations']>[number];

/** All expressions of a ValidatingAdmissionPolicy, compiled. */
export interface PolicyPrograms {
  readonly conditions: readonly (Expression & { readonly name: string })[];
  readonly variables: readonly (Expression & { readonly name: string })[];
  readonly validations: readonly {
    readonly validation: Validation;
    readonly expression: Expression;
    readonly message: Expression | undefined;
  }[];
  readonly annotations: readonly (Expression & { readonly key: string })[];
}

const compiled = new WeakMap<object, PolicyPrograms>();

/** The programs of a spec; compiled once for each. */
export function policyPrograms(spec: Spec): PolicyPrograms {
  let programs = compiled.get(spec);
  if (programs === undefined) {
    programs = compileAll(spec);
    compiled.set(spec, programs);
  }
  return programs;
}

function compileAll(spec: Spec): PolicyPrograms {
  const hasParams = spec.paramKind !== undefined;
  const plain = admissionVariables({ hasParams, hasAuthorizer: true });
  const conditions = (spec.matchConditions ?? []).map(({ name, expression }) => ({
    name,
    ...compileExpression(expression.trim(), plain, conditionTypes),
  }));
  // A variable sees those before it.
  const types: (readonly [string, CelType])[] = [];
  const variables = (spec.variables ?? []).map(({ name, expression }) => {
    const one = compileExpression(expression, admissionVariables({ hasParams, hasAuthorizer: true, variables: types }));
    if (one.program !== undefined) types.push([name, one.program.type]);
    return { name, ...one };
  });
  const composed = admissionVariables({ hasParams, hasAuthorizer: true, variables: types });
  const withoutAuthorizer = admissionVariables({ hasParams, hasAuthorizer: false, variables: types });
  return {
    conditions,
    variables,
    validations: (spec.validations ?? []).map((validation) => ({
      validation,
      expression: compileExpression(validation.expression ?? '', composed, conditionTypes),
      message:
        (validation.messageExpression ?? '').trim() === ''
          ? undefined
          : compileExpression(validation.messageExpression ?? '', withoutAuthorizer, messageTypes),
    })),
    annotations: (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
      key,
      ...compileExpression(valueExpression.trim(), composed, annotationTypes),
    })),
  };
}
