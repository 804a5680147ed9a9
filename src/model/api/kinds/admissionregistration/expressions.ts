import { compile, type Program } from '../../cel/compile.ts';
import {
  bool,
  type CelType,
  dyn,
  goTypeText,
  int,
  list,
  map,
  nullType,
  object,
  opaque,
  sameType,
  string,
  timestamp,
} from '../../cel/type.ts';

/** The variables of admission's expressions and their types: upstream `apiserver/pkg/admission/plugin/cel/compile.go`. */

/** An expression with what came of compiling it. */
export interface Expression {
  readonly text: string;
  readonly program: Program | undefined;
  /** Why it cannot be used, in the words of the field error. */
  readonly error: string | undefined;
}

const groupVersionKind = object('kubernetes.GroupVersionKind', { group: string, version: string, kind: string });
const groupVersionResource = object('kubernetes.GroupVersionResource', { group: string, version: string, resource: string });
const userInfo = object('kubernetes.UserInfo', { username: string, uid: string, groups: list(string), extra: map(string, list(string)) });
const requestType = object('kubernetes.AdmissionRequest', {
  kind: groupVersionKind,
  resource: groupVersionResource,
  subResource: string,
  requestKind: groupVersionKind,
  requestResource: groupVersionResource,
  requestSubResource: string,
  name: string,
  namespace: string,
  operation: string,
  userInfo,
  dryRun: bool,
  options: dyn,
});
const namespaceType = object('kubernetes.Namespace', {
  metadata: object('kubernetes.NamespaceMetadata', {
    name: string,
    generateName: string,
    namespace: string,
    labels: map(string, string),
    annotations: map(string, string),
    UID: string,
    creationTimestamp: timestamp,
    deletionGracePeriodSeconds: int,
    deletionTimestamp: timestamp,
    generation: int,
    resourceVersion: string,
    finalizers: list(string),
  }),
  spec: object('kubernetes.NamespaceSpec', { finalizers: list(string) }),
  status: object('kubernetes.NamespaceStatus', {
    conditions: list(
      object('kubernetes.NamespaceCondition', {
        status: string,
        type: string,
        lastTransitionTime: timestamp,
        message: string,
        reason: string,
      }),
    ),
    phase: string,
  }),
});

export interface EnvironmentOptions {
  readonly hasParams: boolean;
  readonly hasAuthorizer: boolean;
  /** What `variables` holds. */
  readonly variables?: readonly (readonly [string, CelType])[];
}

export function admissionVariables({ hasParams, hasAuthorizer, variables = [] }: EnvironmentOptions): ReadonlyMap<string, CelType> {
  const out = new Map<string, CelType>([
    ['object', dyn],
    ['oldObject', dyn],
    ['namespaceObject', namespaceType],
    ['request', requestType],
  ]);
  if (hasParams) out.set('params', dyn);
  if (hasAuthorizer) {
    out.set('authorizer', opaque('kubernetes.authorization.Authorizer'));
    out.set('authorizer.requestResource', opaque('kubernetes.authorization.ResourceCheck'));
  }
  if (variables.length === 0) return out;
  out.set('variables', object('kubernetes.variables', Object.fromEntries(variables)));
  // Each is looked up by its whole name, so that it is evaluated when it is used.
  for (const [name, type] of variables) out.set(`variables.${name}`, type);
  return out;
}

/** Compiles an expression that must be of one of some types; of any without them. */
export function compileExpression(text: string, environment: ReadonlyMap<string, CelType>, wanted: readonly CelType[] = []): Expression {
  const compiled = compile(text, environment);
  if ('issues' in compiled) return { text, program: undefined, error: `compilation failed: ${compiled.issues}` };
  const { program } = compiled;
  if (wanted.length === 0 || wanted.some((type) => sameType(type, program.type))) return { text, program, error: undefined };
  const found = goTypeText(program.type);
  const [only] = wanted;
  const must =
    wanted.length === 1 && only !== undefined
      ? `must evaluate to ${goTypeText(only)} but got ${found}`
      : `must evaluate to one of [${wanted.map(goTypeText).join(' ')}] but got ${found}`;
  return { text, program: undefined, error: must };
}

export const conditionTypes: readonly CelType[] = [bool];
export const messageTypes: readonly CelType[] = [string];
export const annotationTypes: readonly CelType[] = [string, nullType];
