import { fail, noSuchOverload, Opaque, type Value } from '../value.ts';
import { type CelFunction, textAt } from './call.ts';

/** What an expression asks the authorizer: a path, or a resource. */
export interface AccessQuestion {
  readonly serviceAccount?: { readonly namespace: string; readonly name: string };
  readonly path?: string;
  readonly group?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly verb: string;
}

export interface AccessAnswer {
  readonly allowed: boolean;
  readonly reason: string;
  readonly error?: string;
}

/** Asks about the user of the request; answers at once. */
export type AskAccess = (question: AccessQuestion) => AccessAnswer;

/** A question in the making: `authorizer.group('').resource('pods')`. */
export class CheckBuilder extends Opaque {
  readonly typeName: string;
  readonly ask: AskAccess;
  readonly question: Omit<AccessQuestion, 'verb'>;
  constructor(kind: 'Authorizer' | 'PathCheck' | 'GroupCheck' | 'ResourceCheck', ask: AskAccess, question: Omit<AccessQuestion, 'verb'>) {
    super();
    this.typeName = `kubernetes.authorization.${kind}`;
    this.ask = ask;
    this.question = question;
  }
  equals(other: Opaque): boolean {
    return other instanceof CheckBuilder && JSON.stringify(other.question) === JSON.stringify(this.question);
  }
}

class Decision extends Opaque {
  readonly typeName = 'kubernetes.authorization.Decision';
  readonly answer: AccessAnswer;
  constructor(answer: AccessAnswer) {
    super();
    this.answer = answer;
  }
  equals(other: Opaque): boolean {
    return other === this;
  }
}

type Kind = 'Authorizer' | 'PathCheck' | 'GroupCheck' | 'ResourceCheck';

function builder(value: Value | undefined): CheckBuilder {
  return value instanceof CheckBuilder ? value : fail(noSuchOverload);
}

function extended(kind: Kind, key: 'path' | 'group' | 'resource' | 'subresource' | 'namespace' | 'name' | undefined): CelFunction {
  return (call) => {
    const { ask, question } = builder(call.arguments[0]);
    return new CheckBuilder(kind, ask, key === undefined ? question : { ...question, [key]: textAt(call, 1) });
  };
}

function decision(read: (answer: AccessAnswer) => Value): CelFunction {
  return ({ arguments: [value] }) => (value instanceof Decision ? read(value.answer) : fail(noSuchOverload));
}

export const authorizerFunctions: Readonly<Record<string, CelFunction>> = {
  path: extended('PathCheck', 'path'),
  group: extended('GroupCheck', 'group'),
  serviceAccount: (call) => {
    const { ask, question } = builder(call.arguments[0]);
    return new CheckBuilder('Authorizer', ask, { ...question, serviceAccount: { namespace: textAt(call, 1), name: textAt(call, 2) } });
  },
  resource: extended('ResourceCheck', 'resource'),
  subresource: extended('ResourceCheck', 'subresource'),
  namespace: extended('ResourceCheck', 'namespace'),
  name: extended('ResourceCheck', 'name'),
  // Authorizers here decide without selectors.
  fieldSelector: extended('ResourceCheck', undefined),
  labelSelector: extended('ResourceCheck', undefined),
  check: (call) => {
    const { ask, question } = builder(call.arguments[0]);
    return new Decision(ask({ ...question, verb: textAt(call, 1) }));
  },
  allowed: decision(({ allowed }) => allowed),
  reason: decision(({ reason }) => reason),
  errored: decision(({ error }) => error !== undefined),
  error: decision(({ error }) => error ?? ''),
};
