import type { Task } from '../../../sim/task.ts';
import { type AccessAnswer, type AccessQuestion, CheckBuilder } from '../../api/cel/functions/authorizer.ts';
import type { Outcome, Program } from '../../api/cel/compile.ts';
import { CelFailure, type Value } from '../../api/cel/value.ts';
import type { Expression } from '../../api/kinds/admissionregistration/expressions.ts';
import type { UntypedObject } from '../../api/object.ts';
import type { ServedKind } from '../../api/registry.ts';
import type { UserInfo } from '../../api/request.ts';
import { splitApiVersion } from '../../api/validation/metadata.ts';
import type { AdmissionRequest, ServerContext } from '../server-context.ts';
import { inMatchedVersion } from './rule-matching.ts';

/** Upstream celconfig.RuntimeCELCostBudget: what the expressions of one policy may cost for one request. */
const unitsMax = 10_000_000;
export const outOfUnits = 'validation failed due to running out of cost budget, no further validation rules will be run';

/** The question that an expression asked the authorizer before its answer was known: evaluation begins anew when it is. */
class Unanswered extends Error {
  readonly question: AccessQuestion;
  constructor(question: AccessQuestion) {
    super('unanswered');
    this.question = question;
  }
}

interface EvaluationInput {
  readonly request: AdmissionRequest;
  readonly server: ServerContext;
  /** The resource in whose version the request matched. */
  readonly kind: ServedKind;
  readonly params: UntypedObject | null;
  readonly namespaceObject: UntypedObject | null;
}

/** An AdmissionRequest as expressions and webhooks see it, without its objects. */
export function admissionRequestOf(request: AdmissionRequest, kind: ServedKind): Readonly<Record<string, unknown>> {
  const own = request.object ?? request.oldObject;
  // Subresources have objects of their own kind, such as Scale.
  const isOther = request.subresource !== '' && own !== undefined && own.kind !== request.kind.kind;
  const versioned = isOther ? splitApiVersion(own.apiVersion) : request.kind;
  const shown = isOther ? versioned : kind;
  const kindName = isOther ? own.kind : request.kind.kind;
  const { user } = request;
  return {
    kind: { group: shown.group, version: shown.version, kind: kindName },
    resource: { group: kind.group, version: kind.version, resource: kind.resource },
    ...(request.subresource === '' ? {} : { subResource: request.subresource }),
    requestKind: { group: versioned.group, version: versioned.version, kind: kindName },
    requestResource: { group: request.kind.group, version: request.kind.version, resource: request.kind.resource },
    ...(request.subresource === '' ? {} : { requestSubResource: request.subresource }),
    ...(request.name === '' ? {} : { name: request.name }),
    ...(request.namespace === '' ? {} : { namespace: request.namespace }),
    operation: request.operation,
    userInfo: {
      username: user.name,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      groups: user.groups,
      ...(user.extra === undefined ? {} : { extra: user.extra }),
    },
    dryRun: request.dryRun,
    options: optionsOf(request),
  };
}

const optionKinds = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions', CONNECT: 'ConnectOptions' } as const;

function optionsOf({ operation, options }: AdmissionRequest): object {
  const { dryRun, fieldManager, fieldValidation, gracePeriodSeconds, propagationPolicy, preconditions } = options;
  const common = { kind: optionKinds[operation], apiVersion: 'meta.k8s.io/v1', ...(dryRun === undefined ? {} : { dryRun }) };
  if (operation === 'DELETE')
    return {
      ...common,
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
      ...(preconditions === undefined ? {} : { preconditions }),
    };
  return {
    ...common,
    ...(fieldManager === undefined ? {} : { fieldManager }),
    ...(fieldValidation === undefined ? {} : { fieldValidation }),
  };
}

/** Evaluates the expressions of one policy or webhook for one request: variables are evaluated when they are used, and once. */
export class ExpressionValues {
  private readonly input: EvaluationInput;
  private readonly composed: ReadonlyMap<string, Expression>;
  private readonly known = new Map<string, Value | CelFailure>();
  private readonly answers = new Map<string, AccessAnswer>();
  private readonly fixed: ReadonlyMap<string, Value>;
  private left = unitsMax;

  constructor(input: EvaluationInput, variables: readonly (Expression & { readonly name: string })[] = []) {
    this.input = input;
    this.composed = new Map(variables.map((variable) => [`variables.${variable.name}`, variable]));
    const { request, kind } = input;
    const ask = (question: AccessQuestion): AccessAnswer => this.answerOf(question);
    const { group, resource } = request.kind;
    const { subresource, namespace, name } = request;
    this.fixed = new Map<string, Value>([
      ['object', (inMatchedVersion(request.object, request, kind) ?? null) as Value],
      ['oldObject', (inMatchedVersion(request.oldObject, request, kind) ?? null) as Value],
      ['request', admissionRequestOf(request, kind)],
      ['params', input.params as Value],
      ['namespaceObject', input.namespaceObject as Value],
      ['variables', Object.fromEntries(variables.map(({ name: variable }) => [variable, null]))],
      ['authorizer', new CheckBuilder('Authorizer', ask, {})],
      ['authorizer.requestResource', new CheckBuilder('ResourceCheck', ask, { group, resource, subresource, namespace, name })],
    ]);
  }

  /** Whether all that may be spent is spent. */
  get isExhausted(): boolean {
    return this.left < 0;
  }

  *evaluate(program: Program): Task<Outcome> {
    for (;;) {
      try {
        const outcome = program.run((name) => this.variable(name));
        this.left -= outcome.units;
        return outcome;
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error;
        this.answers.set(JSON.stringify(error.question), yield* this.ask(error.question));
      }
    }
  }

  private variable(name: string): Value | undefined {
    const variable = this.composed.get(name);
    if (variable === undefined) return this.fixed.get(name);
    let value = this.known.get(name);
    if (value === undefined) {
      value = this.compose(name, variable);
      this.known.set(name, value);
    }
    if (value instanceof CelFailure) throw value;
    return value;
  }

  private compose(name: string, { program, error }: Expression): Value | CelFailure {
    const failed = (why: string): CelFailure =>
      new CelFailure(`composited variable ${JSON.stringify(name.slice('variables.'.length))} fails to evaluate: ${why}`);
    if (program === undefined) return failed(error ?? 'it is empty');
    const outcome = program.run((other) => this.variable(other));
    this.left -= outcome.units;
    return 'error' in outcome ? failed(outcome.error) : outcome.value;
  }

  private answerOf(question: AccessQuestion): AccessAnswer {
    const answer = this.answers.get(JSON.stringify(question));
    if (answer === undefined) throw new Unanswered(question);
    return answer;
  }

  private *ask(question: AccessQuestion): Task<AccessAnswer> {
    const { server, request } = this.input;
    const asked = {
      user: userOf(question, request.user),
      verb: question.verb,
      group: question.group ?? '',
      version: '*',
      resource: question.resource ?? '',
      subresource: question.subresource ?? '',
      namespace: question.namespace ?? '',
      name: question.name ?? '',
      ...(question.path === undefined ? {} : { path: question.path }),
    };
    const { allowed, reason } = yield* server.authorizer.authorize(asked, server);
    return { allowed, reason };
  }
}

function userOf({ serviceAccount }: AccessQuestion, user: UserInfo): UserInfo {
  if (serviceAccount === undefined) return user;
  const { namespace, name } = serviceAccount;
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  };
}

/** What came of match conditions: whether all hold, or the errors of those that do not say. */
export type ConditionsResult = { readonly matches: boolean } | { readonly error: string };

/** Conditions that must all hold: one that does not decides, whatever fails. Upstream `webhook/matchconditions/matcher.go`. */
export function* conditionsHold(
  conditions: readonly Expression[],
  values: ExpressionValues,
  failurePolicy: string | undefined,
): Task<ConditionsResult> {
  const errors: string[] = [];
  for (const condition of conditions) {
    const outcome = condition.program === undefined ? undefined : yield* values.evaluate(condition.program);
    if (outcome === undefined) errors.push(condition.error ?? '');
    else if ('error' in outcome) errors.push(`expression '${condition.text}' resulted in error: ${outcome.error}`);
    else if (outcome.value === false) return { matches: false };
  }
  if (errors.length === 0) return { matches: true };
  if (failurePolicy === 'Ignore') return { matches: false };
  return { error: errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]` };
}
