import type { ApiRequest } from '../../api/request.ts';
import type { FlowSchema } from '../../api/types.ts';

type Rule = NonNullable<NonNullable<FlowSchema['spec']>['rules']>[number];
type Subject = Rule['subjects'][number];
type ResourceRule = NonNullable<Rule['resourceRules']>[number];

/** A FlowSchema ready to be asked. */
export interface FlowRules {
  readonly name: string;
  /** Name of its priority level. */
  readonly level: string;
  /** Smaller is asked first. */
  readonly precedence: number;
  readonly distinguisher: 'ByUser' | 'ByNamespace' | undefined;
  readonly matches: (request: ApiRequest) => boolean;
}

export function compiledSchema({ metadata, spec }: FlowSchema): FlowRules {
  const rules = spec?.rules ?? [];
  const method = spec?.distinguisherMethod?.type;
  return {
    name: metadata.name ?? '',
    level: spec?.priorityLevelConfiguration?.name ?? '',
    precedence: spec?.matchingPrecedence ?? 1000,
    distinguisher: method === 'ByUser' || method === 'ByNamespace' ? method : undefined,
    matches: (request) => rules.some((rule) => matchesRule(rule, request)),
  };
}

/** Which of a schema's flows a request belongs to: requests of one flow share queues. */
export function flowOf(schema: FlowRules, request: ApiRequest): string {
  switch (schema.distinguisher) {
    case 'ByUser':
      return request.user.name;
    case 'ByNamespace':
      return request.namespace ?? '';
    case undefined:
      return '';
  }
}

/** Upstream `flowcontrol/rule.go`: any subject and any resource rule. Requests for paths that are no resources do not come here. */
function matchesRule(rule: Rule, request: ApiRequest): boolean {
  return (
    rule.subjects.some((subject) => matchesSubject(subject, request)) && (rule.resourceRules ?? []).some((r) => matchesResource(r, request))
  );
}

function matchesSubject({ kind, user, group, serviceAccount }: Subject, request: ApiRequest): boolean {
  const { name, groups } = request.user;
  switch (kind) {
    case 'User':
      return user !== undefined && (user.name === '*' || user.name === name);
    case 'Group':
      return group !== undefined && (group.name === '*' || groups.includes(group.name));
    case 'ServiceAccount': {
      if (serviceAccount === undefined) return false;
      const prefix = `system:serviceaccount:${serviceAccount.namespace}:`;
      return serviceAccount.name === '*' ? name.startsWith(prefix) : name === prefix + serviceAccount.name;
    }
    default:
      return false;
  }
}

function has(list: readonly string[] | undefined, value: string): boolean {
  return list !== undefined && (list.includes('*') || list.includes(value));
}

function matchesResource(rule: ResourceRule, request: ApiRequest): boolean {
  const { subresource, resource, namespace } = request;
  if (!has(rule.verbs, request.verb) || !has(rule.apiGroups, request.group)) return false;
  if (!has(rule.resources, subresource === undefined || subresource === '' ? resource : `${resource}/${subresource}`)) return false;
  return namespace === undefined || namespace === '' ? rule.clusterScope === true : has(rule.namespaces, namespace);
}
