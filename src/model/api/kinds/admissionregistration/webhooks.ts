import { changed, changedEach, withMissing } from '../../defaults/missing.ts';
import type { MutatingWebhookConfiguration, ValidatingWebhookConfiguration } from '../../types.ts';
import { duplicate, type FieldErrors, invalid, notSupported, required, tooMany } from '../../validation/field-errors.ts';
import { checkLabelSelector } from '../../validation/labels.ts';
import { isDns1123Subdomain, isQualifiedName } from '../../validation/names.ts';
import { checkPortNumber } from '../../validation/numbers.ts';
import { admissionVariables, compileExpression, conditionTypes, type Expression } from './expressions.ts';

/** Webhooks and rules of all admission kinds. Upstream: pkg/apis/admissionregistration/v1/defaults.go and validation. */

type Validating = NonNullable<ValidatingWebhookConfiguration['webhooks']>[number];
type Mutating = NonNullable<MutatingWebhookConfiguration['webhooks']>[number];
type Rule = NonNullable<Validating['rules']>[number];

const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const scopes = ['*', 'Cluster', 'Namespaced'];

export function defaultWebhook<T extends Validating | Mutating>(webhook: T): T {
  const filled = withMissing<Validating>(webhook, {
    failurePolicy: 'Fail',
    matchPolicy: 'Equivalent',
    namespaceSelector: {},
    objectSelector: {},
    timeoutSeconds: 10,
  });
  const ported =
    filled.clientConfig?.service === undefined
      ? filled
      : changed(filled, 'clientConfig', (config) => changed(config, 'service', (service) => withMissing(service, { port: 443 })));
  return changedEach(ported, 'rules', defaultRule<Rule>) as T;
}

export function defaultRule<T extends { readonly scope?: '*' | 'Cluster' | 'Namespaced' }>(rule: T): T {
  return withMissing<{ readonly scope?: '*' | 'Cluster' | 'Namespaced' }>(rule, { scope: '*' }) as T;
}

export function checkWebhooks(webhooks: readonly (Validating | Mutating)[] | undefined, out: FieldErrors): void {
  const names = new Set<string>();
  for (const [i, webhook] of (webhooks ?? []).entries()) {
    const path = `webhooks[${i}]`;
    checkWebhook(webhook, path, out);
    const versions = webhook.admissionReviewVersions ?? [];
    if (versions.length === 0) out.push(required(`${path}.admissionReviewVersions`, 'must specify one of v1, v1beta1'));
    else if (!versions.some((v) => v === 'v1' || v === 'v1beta1')) {
      out.push(invalid(`${path}.admissionReviewVersions`, versions, 'must include at least one of v1, v1beta1'));
    }
    if (names.has(webhook.name)) out.push(duplicate(`${path}.name`, webhook.name));
    names.add(webhook.name);
  }
}

/** IsFullyQualifiedName: a domain of at least three labels. */
function checkFullName(name: string, field: string, out: FieldErrors): void {
  if (name === '') return void out.push(required(field));
  const messages = isDns1123Subdomain(name);
  for (const message of messages) out.push(invalid(field, name, message));
  if (messages.length === 0 && name.split('.').length < 3)
    out.push(invalid(field, name, 'should be a domain with at least three segments separated by dots'));
}

function checkWebhook(webhook: Validating | Mutating, field: string, out: FieldErrors): void {
  checkFullName(webhook.name ?? '', `${field}.name`, out);
  for (const [i, rule] of (webhook.rules ?? []).entries()) checkRule(rule, `${field}.rules[${i}]`, out);
  const choose = (key: 'failurePolicy' | 'matchPolicy', supported: readonly string[]): void => {
    const value: string | undefined = webhook[key];
    if (value !== undefined && !supported.includes(value)) out.push(notSupported(`${field}.${key}`, value, supported));
  };
  choose('failurePolicy', ['Fail', 'Ignore']);
  choose('matchPolicy', ['Equivalent', 'Exact']);
  const effects: string | undefined = webhook.sideEffects;
  if (effects === undefined || (effects as string) === '')
    out.push(required(`${field}.sideEffects`, 'must specify one of None, NoneOnDryRun'));
  else if (effects !== 'None' && effects !== 'NoneOnDryRun')
    out.push(notSupported(`${field}.sideEffects`, effects, ['None', 'NoneOnDryRun']));
  const timeout = webhook.timeoutSeconds;
  if (timeout !== undefined && (timeout > 30 || timeout < 1))
    out.push(invalid(`${field}.timeoutSeconds`, timeout, 'the timeout value must be between 1 and 30 seconds'));
  checkLabelSelector(webhook.namespaceSelector, `${field}.namespaceSelector`, out);
  checkLabelSelector(webhook.objectSelector, `${field}.objectSelector`, out);
  const { url, service } = webhook.clientConfig ?? {};
  if ((url === undefined) === (service === undefined))
    out.push(required(`${field}.clientConfig`, 'exactly one of url or service is required'));
  else if (url !== undefined) {
    if (!url.startsWith('https://'))
      out.push(invalid(`${field}.clientConfig.url`, url, `'https' is the only allowed URL scheme; desired format: https://host[/path]`));
  } else if (service !== undefined) {
    if ((service.name ?? '') === '') out.push(required(`${field}.clientConfig.service.name`, 'service name is required'));
    if ((service.namespace ?? '') === '') out.push(required(`${field}.clientConfig.service.namespace`, 'service namespace is required'));
    if (service.port !== undefined) checkPortNumber(service.port, `${field}.clientConfig.service.port`, out);
    if (service.path !== undefined && !service.path.startsWith('/'))
      out.push(invalid(`${field}.clientConfig.service.path`, service.path, "must start with a '/'"));
  }
  const conditions = webhook.matchConditions ?? [];
  checkMatchConditions(conditions, webhookConditions(conditions), `${field}.matchConditions`, out);
}

type Conditions = readonly { readonly name: string; readonly expression: string }[];
const conditionsMax = 64;

export function checkMatchConditions(conditions: Conditions, compiled: readonly Expression[], field: string, out: FieldErrors): void {
  const names = new Set<string>();
  if (conditions.length > conditionsMax) out.push(tooMany(field, conditions.length, conditionsMax));
  for (const [i, { name = '', expression = '' }] of conditions.entries()) {
    const error = compiled[i]?.error;
    if (expression.trim() === '') out.push(required(`${field}[${i}].expression`));
    else if (error !== undefined) out.push(invalid(`${field}[${i}].expression`, expression.trim(), error));
    if (name === '') out.push(required(`${field}[${i}].name`));
    else for (const message of isQualifiedName(name)) out.push(invalid(`${field}[${i}].name`, name, message));
    if (name !== '' && names.has(name)) out.push(duplicate(`${field}[${i}].name`, name));
    names.add(name);
  }
}

const compiledConditions = new WeakMap<object, readonly (Expression & { readonly name: string })[]>();

/** A webhook's match conditions, compiled once. */
export function webhookConditions(conditions: Conditions): readonly (Expression & { readonly name: string })[] {
  let compiled = compiledConditions.get(conditions);
  if (compiled === undefined) {
    const environment = admissionVariables({ hasParams: false, hasAuthorizer: true });
    compiled = conditions.map(({ name, expression }) => ({
      name,
      ...compileExpression((expression ?? '').trim(), environment, conditionTypes),
    }));
    compiledConditions.set(conditions, compiled);
  }
  return compiled;
}

/** validateRuleWithOperations: what a rule matches. */
export function checkRule(rule: Rule, field: string, out: FieldErrors): void {
  const { apiGroups = [], apiVersions = [], resources = [] } = rule;
  const verbs: readonly string[] = rule.operations ?? [];
  if (verbs.length === 0) out.push(required(`${field}.operations`));
  if (verbs.length > 1 && verbs.includes('*'))
    out.push(invalid(`${field}.operations`, verbs, "if '*' is present, must not specify other operations"));
  for (const [i, verb] of verbs.entries())
    if (!operations.includes(verb)) out.push(notSupported(`${field}.operations[${i}]`, verb, operations));
  if (apiGroups.length === 0) out.push(required(`${field}.apiGroups`));
  if (apiGroups.length > 1 && apiGroups.includes('*'))
    out.push(invalid(`${field}.apiGroups`, apiGroups, "if '*' is present, must not specify other API groups"));
  if (apiVersions.length === 0) out.push(required(`${field}.apiVersions`));
  if (apiVersions.length > 1 && apiVersions.includes('*'))
    out.push(invalid(`${field}.apiVersions`, apiVersions, "if '*' is present, must not specify other API versions"));
  for (const [i, version] of apiVersions.entries()) if (version === '') out.push(required(`${field}.apiVersions[${i}]`));
  if (resources.length === 0) out.push(required(`${field}.resources`));
  checkResources(resources, `${field}.resources`, out);
  const scope: string | undefined = rule.scope;
  if (scope !== undefined && !scopes.includes(scope)) out.push(notSupported(`${field}.scope`, scope, scopes));
}

function checkResources(resources: readonly string[], field: string, out: FieldErrors): void {
  const subresources = new Set<string>();
  for (const [i, resource] of resources.entries()) {
    if (resource === '') out.push(required(`${field}[${i}]`));
    if (resource === '*/*') subresources.add(resource);
    const [, sub] = resource.split('/', 2);
    if (sub !== undefined && subresources.has('*/*') && resource !== '*/*')
      out.push(invalid(`${field}[${i}]`, resource, `if '*/*' is present, must not specify '${resource}'`));
  }
  if (resources.length > 1 && resources.includes('*/*'))
    out.push(invalid(field, resources, "if '*/*' is present, must not specify other resources"));
  if (resources.length > 1 && resources.includes('*') && resources.some((r) => r !== '*' && !r.includes('/'))) {
    out.push(invalid(field, resources, "if '*' is present, must not specify other resources without subresources"));
  }
}
