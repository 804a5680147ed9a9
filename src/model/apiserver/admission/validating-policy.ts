import type { Task } from '../../../sim/task.ts';
import type { Outcome } from '../../api/cel/compile.ts';
import { policyPrograms } from '../../api/kinds/admissionregistration/policy-programs.ts';
import type { UntypedObject } from '../../api/object.ts';
import { forbidden } from '../../api/status.ts';
import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from '../../api/types.ts';
import { selectorMatches } from '../../api/validation/labels.ts';
import { splitApiVersion } from '../../api/validation/metadata.ts';
import { refuse } from '../refusal.ts';
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../server-context.ts';
import { conditionsHold, ExpressionValues, outOfUnits } from './expression-values.ts';
import { cachedAll, cachedOne, cacheFinder, kindNamed } from './lookup.ts';
import { isExempt, type MatchCriteria, matchedKind } from './rule-matching.ts';

type Spec = NonNullable<ValidatingAdmissionPolicy['spec']>;
type BindingSpec = NonNullable<ValidatingAdmissionPolicyBinding['spec']>;
type MatchResources = NonNullable<Spec['matchConstraints']>;

const messageBytesMax = 5 * 1024;
const codes: Readonly<Record<string, number>> = { Unauthorized: 401, Forbidden: 403, RequestEntityTooLarge: 413, Invalid: 422 };

const policyCache = cacheFinder('admissionregistration.k8s.io', 'v1', 'validatingadmissionpolicies');

/** A failed validation: what it says, and the reason of the refusal. */
interface Denial {
  readonly message: string;
  readonly reason: string;
}

/** ValidatingAdmissionPolicy: upstream `apiserver/pkg/admission/plugin/policy/validating`. Nothing keeps an audit log, so the action Audit does nothing. */
export const validatingAdmissionPolicyPlugin: AdmissionPlugin = {
  name: 'ValidatingAdmissionPolicy',
  handles: (request, server) => !policyCache(server).isEmpty && !isExempt(request),
  *validate(request, server) {
    const policies = (yield* cachedAll(server, policyCache(server).kind, undefined)) as unknown as readonly ValidatingAdmissionPolicy[];
    const bindingKind = kindNamed(server, 'admissionregistration.k8s.io', 'v1', 'validatingadmissionpolicybindings');
    const bindings = (yield* cachedAll(server, bindingKind, undefined)) as unknown as readonly ValidatingAdmissionPolicyBinding[];
    const denied: (Denial & { readonly who: string })[] = [];
    for (const policy of policies) {
      const own = bindings.filter((binding) => binding.spec?.policyName === policy.metadata.name);
      if (own.length > 0) yield* judge(request, server, policy, own, denied);
    }
    const [first] = denied;
    if (first !== undefined) refuse(denial(request, first));
  },
};

function denial(request: AdmissionRequest, { who, message, reason }: Denial & { readonly who: string }) {
  const text = `${who} denied request: ${message}`;
  const status = forbidden(request.kind, request.name, text, [{ message: text }]);
  return { ...status, reason, code: codes[reason] ?? 422 };
}

function criteriaOf(resources: MatchResources | undefined): MatchCriteria {
  return {
    rules: resources?.resourceRules ?? [],
    excluded: resources?.excludeResourceRules ?? [],
    ...(resources?.namespaceSelector === undefined ? {} : { namespaceSelector: resources.namespaceSelector }),
    ...(resources?.objectSelector === undefined ? {} : { objectSelector: resources.objectSelector }),
    ...(resources?.matchPolicy === undefined ? {} : { matchPolicy: resources.matchPolicy }),
  };
}

/** One policy with its bindings; what they deny is added. */
function* judge(
  request: AdmissionRequest,
  server: ServerContext,
  policy: ValidatingAdmissionPolicy,
  bindings: readonly ValidatingAdmissionPolicyBinding[],
  denied: (Denial & { readonly who: string })[],
): Task<void> {
  const spec = policy.spec ?? {};
  const kind = yield* matchedKind(request, server, criteriaOf(spec.matchConstraints));
  if (kind === undefined) return;
  const policyName = policy.metadata.name ?? '';
  const failsOpen = spec.failurePolicy === 'Ignore';
  for (const binding of bindings) {
    if (!(yield* bindingMatches(request, server, binding))) continue;
    const who = `ValidatingAdmissionPolicy '${policyName}' with binding '${binding.metadata.name}'`;
    const params = yield* paramsOf(request, server, spec, binding.spec ?? {});
    if ('problem' in params) {
      const isPolicy = params.of === 'policy';
      const by = isPolicy ? `ValidatingAdmissionPolicy '${policyName}'` : who;
      if (!failsOpen) denied.push({ who: by, message: `failed to configure ${params.of}: ${params.problem}`, reason: 'Invalid' });
      if (isPolicy) return;
      continue;
    }
    const namespaceObject = yield* namespaceOf(request, server);
    for (const param of params.found) {
      const values = new ExpressionValues({ request, server, kind, params: param, namespaceObject }, policyPrograms(spec).variables);
      for (const failed of yield* validate(spec, values)) {
        for (const action of binding.spec?.validationActions ?? []) {
          if (action === 'Deny') denied.push({ ...failed, who });
          if (action === 'Warn')
            request.warn(
              `Validation failed for ValidatingAdmissionPolicy '${policyName}' with binding '${binding.metadata.name}': ${failed.message}`,
            );
        }
      }
    }
  }
}

function* bindingMatches(request: AdmissionRequest, server: ServerContext, { spec }: ValidatingAdmissionPolicyBinding): Task<boolean> {
  const resources = spec?.matchResources;
  if (resources === undefined) return true;
  const criteria = criteriaOf(resources);
  // A binding without rules is for all that its policy is for.
  const rules = criteria.rules.length > 0 ? criteria.rules : [everything];
  return (yield* matchedKind(request, server, { ...criteria, rules })) !== undefined;
}

const everything = { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] };

/** The namespace of a request, as `namespaceObject` shows it; null for what lies in none. */
function* namespaceOf(request: AdmissionRequest, server: ServerContext): Task<UntypedObject | null> {
  if (request.namespace === '' || request.kind.kind === 'Namespace') return null;
  const namespace = yield* cachedOne(server, kindNamed(server, '', 'v1', 'namespaces'), '', request.namespace);
  if (namespace === undefined) return null;
  const { managedFields: _m, ownerReferences: _o, uid, ...metadata } = namespace.metadata;
  return { ...namespace, metadata: { ...metadata, ...(uid === undefined ? {} : { UID: uid }) } } as UntypedObject;
}

type Params = { readonly found: readonly (UntypedObject | null)[] } | { readonly problem: string; readonly of: 'policy' | 'binding' };

/** The parameters of a binding; one null where there are none to have. */
function* paramsOf(request: AdmissionRequest, server: ServerContext, spec: Spec, { paramRef }: BindingSpec): Task<Params> {
  const { paramKind } = spec;
  if (paramKind === undefined) return { found: [null] };
  const { group, version } = splitApiVersion(paramKind.apiVersion ?? '');
  const kind = server.registry.kind(group, version, paramKind.kind ?? '');
  if (kind === undefined) {
    const name = `${group}/${version}, Kind=${paramKind.kind}`;
    return { of: 'policy', problem: `failed to find resource referenced by paramKind: '${name}'` };
  }
  if (paramRef === undefined) return { found: [null] };
  const namespace = kind.namespaced ? (paramRef.namespace ?? request.namespace) : '';
  if (kind.namespaced && namespace === '')
    return { of: 'binding', problem: 'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources' };
  if (!kind.namespaced && (paramRef.namespace ?? '') !== '')
    return { of: 'binding', problem: 'paramRef.namespace must not be provided for a cluster-scoped `paramKind`' };
  let found: readonly UntypedObject[];
  if ((paramRef.name ?? '') !== '') {
    const one = yield* cachedOne(server, kind, namespace, paramRef.name ?? '');
    found = one === undefined ? [] : [one];
  } else {
    const { selector = {} } = paramRef;
    found = (yield* cachedAll(server, kind, kind.namespaced ? namespace : undefined)).filter(
      ({ metadata }) => selectorMatches(selector, metadata.labels) === true,
    );
  }
  if (found.length === 0 && paramRef.parameterNotFoundAction === 'Deny')
    return { of: 'binding', problem: 'no params found for policy binding with `Deny` parameterNotFoundAction' };
  return { found };
}

/** The validations that fail, in order. An error is a failure, unless the policy fails open. */
function* validate(spec: Spec, values: ExpressionValues): Task<readonly Denial[]> {
  const programs = policyPrograms(spec);
  const failsOpen = spec.failurePolicy === 'Ignore';
  const conditions = yield* conditionsHold(programs.conditions, values, spec.failurePolicy);
  if ('error' in conditions) return failsOpen ? [] : [{ message: conditions.error, reason: 'Invalid' }];
  if (!conditions.matches) return [];
  const failed: Denial[] = [];
  for (const { validation, expression, message } of programs.validations) {
    if (expression.program === undefined) {
      if (!failsOpen) failed.push({ message: expression.error ?? '', reason: 'Invalid' });
      continue;
    }
    const outcome = yield* values.evaluate(expression.program);
    if (values.isExhausted) return failsOpen ? [] : [{ message: outOfUnits, reason: 'Invalid' }];
    if ('error' in outcome) {
      if (!failsOpen) failed.push({ message: `expression '${expression.text}' resulted in error: ${outcome.error}`, reason: 'Invalid' });
    } else if (outcome.value !== true) {
      const said = message?.program === undefined ? undefined : yield* values.evaluate(message.program);
      failed.push({ message: messageOf(validation, said), reason: validation.reason ?? 'Invalid' });
    }
  }
  for (const { program, text } of programs.annotations) {
    const outcome = program === undefined ? undefined : yield* values.evaluate(program);
    if (outcome !== undefined && 'error' in outcome && !failsOpen)
      failed.push({ message: `expression '${text}' resulted in error: ${outcome.error}`, reason: 'Invalid' });
  }
  return failed;
}

type Validation = NonNullable<Spec['validations']>[number];

/** What the message expression says if it says something fit, else the message, else the expression itself. */
function messageOf(validation: Validation, said: Outcome | undefined): string {
  const text = said !== undefined && 'value' in said && typeof said.value === 'string' ? said.value.trim() : '';
  if (text !== '' && text.length <= messageBytesMax && !text.includes('\n')) return text;
  return (validation.message ?? '') === ''
    ? `failed expression: ${(validation.expression ?? '').trim()}`
    : (validation.message ?? '').trim();
}
