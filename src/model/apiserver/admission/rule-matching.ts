import type { Task } from '../../../sim/task.ts';
import { inVersion } from '../../api/kinds/conversion.ts';
import type { UntypedObject } from '../../api/object.ts';
import type { ServedKind } from '../../api/registry.ts';
import type { LabelSelector } from '../../api/types.ts';
import { isEmptySelector, selectorMatches } from '../../api/validation/labels.ts';
import { fromStored } from '../conversion.ts';
import type { AdmissionRequest, ServerContext } from '../server-context.ts';
import { cachedOne, kindNamed } from './lookup.ts';

/** What policies, bindings and webhooks say of the requests that they are for. */
export interface MatchCriteria {
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
  readonly matchPolicy?: string;
  readonly rules: readonly MatchRule[];
  readonly excluded: readonly MatchRule[];
}

export interface MatchRule {
  readonly operations?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly apiVersions?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly scope?: string;
}

/** Kinds that configure admission itself: no policy and no webhook is asked about them, or nobody could mend a broken one. */
const exempt: ReadonlySet<string> = new Set([
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
]);

/** Whether the request is about admission's own configuration. */
export function isExempt({ kind }: AdmissionRequest): boolean {
  return kind.group === 'admissionregistration.k8s.io' && exempt.has(kind.kind);
}

/** The resource in whose version a request matches: its own, or one that means the same (matchPolicy Equivalent). Undefined: it does not. */
export function* matchedKind(request: AdmissionRequest, server: ServerContext, criteria: MatchCriteria): Task<ServedKind | undefined> {
  if (isExempt(request)) return undefined;
  const kind = kindByRules(request, server, criteria.rules, criteria.matchPolicy);
  if (kind === undefined || kindByRules(request, server, criteria.excluded, criteria.matchPolicy) !== undefined) return undefined;
  if (!objectMatches(request, criteria.objectSelector)) return undefined;
  return (yield* namespaceMatches(request, server, criteria.namespaceSelector)) ? kind : undefined;
}

function kindByRules(
  request: AdmissionRequest,
  server: ServerContext,
  rules: readonly MatchRule[],
  policy: string | undefined,
): ServedKind | undefined {
  if (rules.some((rule) => ruleMatches(rule, request, request.kind))) return request.kind;
  if (policy === 'Exact' || rules.length === 0) return undefined;
  return equivalents(request.kind, server).find((kind) => rules.some((rule) => ruleMatches(rule, request, kind)));
}

/** Other versions and groups of a resource. */
function equivalents(kind: ServedKind, server: ServerContext): readonly ServedKind[] {
  return server.registry.all().filter((other) => other.storeKey === kind.storeKey && other.apiVersion !== kind.apiVersion);
}

function ruleMatches(rule: MatchRule, request: AdmissionRequest, kind: ServedKind): boolean {
  const has = (values: readonly string[] | undefined, value: string): boolean =>
    values !== undefined && (values.includes('*') || values.includes(value));
  return (
    has(rule.operations, request.operation) &&
    has(rule.apiGroups, kind.group) &&
    has(rule.apiVersions, kind.version) &&
    scopeMatches(rule.scope ?? '*', request, kind) &&
    (rule.resources ?? []).some((resource) => resourceMatches(resource, kind.resource, request.subresource)) &&
    ((rule.resourceNames ?? []).length === 0 || rule.resourceNames?.includes(request.name) === true)
  );
}

/** `pods`, `pods/status`, `pods/*`, `*`, `* /scale` (without the blank). */
function resourceMatches(wanted: string, resource: string, subresource: string): boolean {
  const [main = '', sub = ''] = wanted.split('/');
  return (main === '*' || main === resource) && (sub === '*' || sub === subresource);
}

/** A namespace is no thing in a namespace, though its requests carry its name as one. */
function scopeMatches(scope: string, request: AdmissionRequest, kind: ServedKind): boolean {
  if (scope === '*') return true;
  const isNamespaced = request.namespace !== '' && kind.kind !== 'Namespace';
  return scope === (isNamespaced ? 'Namespaced' : 'Cluster');
}

function objectMatches({ object, oldObject }: AdmissionRequest, selector: LabelSelector | undefined): boolean {
  if (selector === undefined || isEmptySelector(selector)) return true;
  return [object, oldObject].some((one) => one !== undefined && selectorMatches(selector, one.metadata.labels) === true);
}

function* namespaceMatches(request: AdmissionRequest, server: ServerContext, selector: LabelSelector | undefined): Task<boolean> {
  if (selector === undefined || isEmptySelector(selector)) return true;
  const isNamespace = request.kind.kind === 'Namespace' && request.kind.group === '';
  if (isNamespace && request.object !== undefined && request.subresource === '')
    return selectorMatches(selector, request.object.metadata.labels) === true;
  const name = isNamespace ? request.name : request.namespace;
  // What lies in no namespace is matched by every selector of namespaces.
  if (name === '') return true;
  const namespace = yield* cachedOne(server, kindNamed(server, '', 'v1', 'namespaces'), '', name);
  return selectorMatches(selector, namespace?.metadata.labels) === true;
}

/** An object of the request in the version of the resource that matched. */
export function inMatchedVersion(
  object: UntypedObject | undefined,
  request: AdmissionRequest,
  kind: ServedKind,
): UntypedObject | undefined {
  if (object === undefined || kind === request.kind || object.kind !== request.kind.kind) return object;
  return kind.custom === undefined ? inVersion(object, kind.apiVersion) : fromStored(kind, object);
}
