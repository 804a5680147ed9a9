import type { Task } from '../../../sim/task.ts';
import type { UserInfo } from '../../api/request.ts';
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, Subject } from '../../api/types.ts';
import { kindNamed } from '../admission/lookup.ts';
import { keyOf } from '../resource-store.ts';
import type { AuthorizationRequest, Authorizer, Decision, ServerContext } from '../server-context.ts';
import type { WatchCache } from '../watch-cache.ts';

const rbacGroup = 'rbac.authorization.k8s.io';
const accountPrefix = 'system:serviceaccount:';

interface Caches {
  readonly roles: WatchCache;
  readonly clusterRoles: WatchCache;
  readonly bindings: WatchCache;
  readonly clusterBindings: WatchCache;
}

/** A rule that a user has, and through which binding. */
interface HeldRule {
  readonly rule: PolicyRule;
  readonly because: string;
}

function* cachesOf(server: ServerContext): Task<Caches> {
  const cache = (resource: string): WatchCache => server.cacheOf(kindNamed(server, rbacGroup, 'v1', resource));
  const caches = {
    roles: cache('roles'),
    clusterRoles: cache('clusterroles'),
    bindings: cache('rolebindings'),
    clusterBindings: cache('clusterrolebindings'),
  };
  for (const one of [caches.roles, caches.clusterRoles, caches.bindings, caches.clusterBindings]) if (!one.ready) yield* one.untilReady();
  return caches;
}

function isSubject(subject: Subject, user: UserInfo, bindingNamespace: string): boolean {
  switch (subject.kind) {
    case 'User':
      return subject.name === user.name;
    case 'Group':
      return user.groups.includes(subject.name);
    case 'ServiceAccount': {
      const namespace = subject.namespace ?? bindingNamespace;
      return namespace !== '' && user.name === `${accountPrefix}${namespace}:${subject.name}`;
    }
    default:
      return false;
  }
}

function subjectText(subject: Subject, bindingNamespace: string): string {
  return subject.kind === 'ServiceAccount'
    ? `ServiceAccount "${subject.name}/${subject.namespace ?? bindingNamespace}"`
    : `${subject.kind} ${JSON.stringify(subject.name)}`;
}

/** Rules by user and namespace, kept until a role or binding changes. */
interface Memo {
  versions: string;
  readonly held: Map<string, readonly HeldRule[]>;
}
const memos = new WeakMap<ServerContext, Memo>();

function memoOf(server: ServerContext, caches: Caches): Memo {
  const versions = `${caches.roles.changes}/${caches.clusterRoles.changes}/${caches.bindings.changes}/${caches.clusterBindings.changes}`;
  let memo = memos.get(server);
  if (memo === undefined) {
    memo = { versions, held: new Map() };
    memos.set(server, memo);
  } else if (memo.versions !== versions) {
    memo.versions = versions;
    memo.held.clear();
  }
  return memo;
}

function* heldRules(server: ServerContext, user: UserInfo, namespace: string): Task<readonly HeldRule[]> {
  const caches = yield* cachesOf(server);
  const memo = memoOf(server, caches);
  const key = `${namespace}\n${user.name}\n${user.groups.join('\n')}`;
  const known = memo.held.get(key);
  if (known !== undefined) return known;
  const held: HeldRule[] = [];
  const clusterRole = (name: string): ClusterRole | undefined =>
    caches.clusterRoles.get(keyOf(caches.clusterRoles.kind, '', name)) as unknown as ClusterRole | undefined;
  for (const [, object] of caches.clusterBindings.items(undefined)) {
    const binding = object as unknown as ClusterRoleBinding;
    const subject = binding.subjects?.find((s) => isSubject(s, user, ''));
    if (subject === undefined) continue;
    const because = `ClusterRoleBinding ${JSON.stringify(binding.metadata.name)} of ClusterRole ${JSON.stringify(binding.roleRef.name)} to ${subjectText(subject, '')}`;
    for (const rule of clusterRole(binding.roleRef.name)?.rules ?? []) held.push({ rule, because });
  }
  if (namespace !== '') {
    for (const [, object] of caches.bindings.items(namespace)) {
      const binding = object as unknown as RoleBinding;
      const subject = binding.subjects?.find((s) => isSubject(s, user, namespace));
      if (subject === undefined) continue;
      const { kind, name } = binding.roleRef;
      const because = `RoleBinding "${binding.metadata.name}/${namespace}" of ${kind} ${JSON.stringify(name)} to ${subjectText(subject, namespace)}`;
      const role =
        kind === 'Role' ? (caches.roles.get(keyOf(caches.roles.kind, namespace, name)) as unknown as Role | undefined) : clusterRole(name);
      for (const rule of role?.rules ?? []) held.push({ rule, because });
    }
  }
  memo.held.set(key, held);
  return held;
}

/** Upstream rbac.RuleAllows. */
export function ruleAllows(rule: PolicyRule, asked: AuthorizationRequest): boolean {
  if (!rule.verbs.includes('*') && !rule.verbs.includes(asked.verb)) return false;
  if (asked.path !== undefined) {
    const { path } = asked;
    return (rule.nonResourceURLs ?? []).some(
      (url) => url === '*' || url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1))),
    );
  }
  const groups = rule.apiGroups ?? [];
  if (!groups.includes('*') && !groups.includes(asked.group)) return false;
  const full = asked.subresource === '' ? asked.resource : `${asked.resource}/${asked.subresource}`;
  const matches = (rule.resources ?? []).some(
    (resource) => resource === '*' || resource === full || (asked.subresource !== '' && resource === `*/${asked.subresource}`),
  );
  if (!matches) return false;
  const names = rule.resourceNames ?? [];
  return names.length === 0 || names.includes(asked.name);
}

/** RBAC, with the group system:masters before it as upstream's privileged group. */
export const rbacAuthorizer: Authorizer = {
  *authorize(asked, server): Task<Decision> {
    if (asked.user.groups.includes('system:masters')) return { allowed: true, reason: '' };
    const held = yield* heldRules(server, asked.user, asked.namespace);
    for (const { rule, because } of held) if (ruleAllows(rule, asked)) return { allowed: true, reason: `RBAC: allowed by ${because}` };
    return { allowed: false, reason: '' };
  },
  *rulesFor(user, namespace, server) {
    return (yield* heldRules(server, user, namespace)).map(({ rule }) => rule);
  },
};

/** Several authorizers in order: the first that allows decides; the reasons of those that do not are told. */
export function unionAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  return {
    tellsAllRules: (user) => authorizers.every((authorizer) => authorizer.tellsAllRules?.(user) ?? true),
    *authorize(asked, server): Task<Decision> {
      const reasons: string[] = [];
      for (const authorizer of authorizers) {
        const decision = yield* authorizer.authorize(asked, server);
        if (decision.allowed) return decision;
        if (decision.reason !== '') reasons.push(decision.reason);
      }
      return { allowed: false, reason: reasons.join('\n') };
    },
    *rulesFor(user, namespace, server) {
      const rules: PolicyRule[] = [];
      for (const authorizer of authorizers)
        if (authorizer.rulesFor !== undefined) rules.push(...(yield* authorizer.rulesFor(user, namespace, server)));
      return rules;
    },
  };
}
