import type { Task } from '../../../sim/task.ts';
import { forbidden, notFound } from '../../api/status.ts';
import type { ClusterRole, PolicyRule, RoleBinding } from '../../api/types.ts';
import { kindNamed } from '../admission/lookup.ts';
import { refuse } from '../refusal.ts';
import { keyOf, readObject } from '../resource-store.ts';
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../server-context.ts';

const rbacGroup = 'rbac.authorization.k8s.io';

/**
 * Nobody grants what he does not hold: upstream `pkg/registry/rbac/*\/policybased`. Not an admission plugin there, but asked at the same moment.
 */
export const rbacEscalation: AdmissionPlugin = {
  name: 'RBACEscalation',
  handles: ({ kind, operation, user }) =>
    kind.group === rbacGroup && (operation === 'CREATE' || operation === 'UPDATE') && !user.groups.includes('system:masters'),
  *admit(request, server) {
    const { authorizer } = server;
    if (authorizer.rulesFor === undefined || request.object === undefined) return request.object;
    const held = yield* authorizer.rulesFor(request.user, request.namespace, server);
    const wanted = yield* grantedRules(request, server);
    if (wanted === undefined) return request.object;
    const missing = uncovered(wanted, held);
    if (missing.length > 0) {
      const { name, groups } = request.user;
      const who = `user ${JSON.stringify(name)} (groups=[${groups.map((group) => JSON.stringify(group)).join(' ')}])`;
      refuse(
        forbidden(request.kind, request.name, `${who} is attempting to grant RBAC permissions not currently held:\n${missing.join('\n')}`),
      );
    }
    return request.object;
  },
};

/** The rules that a role or binding would give; undefined when the user may do it by verb (escalate, bind). */
function* grantedRules(request: AdmissionRequest, server: ServerContext): Task<readonly PolicyRule[] | undefined> {
  const isBinding = request.kind.kind.endsWith('Binding');
  const reference = isBinding ? (request.object as unknown as RoleBinding).roleRef : undefined;
  const resource = reference === undefined ? request.kind.resource : reference.kind === 'ClusterRole' ? 'clusterroles' : 'roles';
  const name = reference?.name ?? request.name;
  const { user, namespace } = request;
  const asked = {
    user,
    verb: isBinding ? 'bind' : 'escalate',
    group: rbacGroup,
    version: 'v1',
    resource,
    subresource: '',
    namespace,
    name,
  };
  const decision = yield* server.authorizer.authorize(asked, server);
  if (decision.allowed) return undefined;
  if (!isBinding) return (request.object as unknown as ClusterRole).rules ?? [];
  const kind = kindNamed(server, rbacGroup, 'v1', resource);
  const role = yield* readObject(server, keyOf(kind, resource === 'roles' ? namespace : '', name));
  if (role === undefined) return refuse(notFound(request.kind, name));
  return (role as unknown as ClusterRole).rules ?? [];
}

interface Atom {
  readonly group: string;
  readonly resource: string;
  readonly name: string;
  readonly url: string;
  readonly verb: string;
}

function* atomsOf(rule: PolicyRule): Generator<Atom> {
  for (const verb of rule.verbs) {
    for (const url of rule.nonResourceURLs ?? []) yield { group: '', resource: '', name: '', url, verb };
    for (const group of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        if ((rule.resourceNames ?? []).length === 0) yield { group, resource, name: '', url: '', verb };
        for (const name of rule.resourceNames ?? []) yield { group, resource, name, url: '', verb };
      }
    }
  }
}

function covers(rule: PolicyRule, atom: Atom): boolean {
  if (!rule.verbs.includes('*') && !rule.verbs.includes(atom.verb)) return false;
  if (atom.url !== '')
    return (rule.nonResourceURLs ?? []).some(
      (url) => url === '*' || url === atom.url || (url.endsWith('*') && atom.url.startsWith(url.slice(0, -1))),
    );
  const { apiGroups = [], resources = [], resourceNames = [] } = rule;
  if (!apiGroups.includes('*') && !apiGroups.includes(atom.group)) return false;
  const slash = atom.resource.indexOf('/');
  const wild = slash < 0 ? '' : `*${atom.resource.slice(slash)}`;
  if (!resources.includes('*') && !resources.includes(atom.resource) && !(wild !== '' && resources.includes(wild))) return false;
  return resourceNames.length === 0 || (atom.name !== '' && resourceNames.includes(atom.name));
}

/** What is missing, one rule for each resource, as upstream prints it. */
function uncovered(wanted: readonly PolicyRule[], held: readonly PolicyRule[]): readonly string[] {
  const verbs = new Map<string, { readonly atom: Atom; readonly verbs: string[] }>();
  for (const rule of wanted) {
    for (const atom of atomsOf(rule)) {
      if (held.some((own) => covers(own, atom))) continue;
      const key = `${atom.group}/${atom.resource}/${atom.name}/${atom.url}`;
      const entry = verbs.get(key) ?? { atom, verbs: [] };
      if (!entry.verbs.includes(atom.verb)) entry.verbs.push(atom.verb);
      verbs.set(key, entry);
    }
  }
  const quote = (text: string): string => `[${JSON.stringify(text)}]`;
  return [...verbs.values()]
    .map(({ atom, verbs: list }) => {
      const verbText = `Verbs:[${list.map((verb) => JSON.stringify(verb)).join(' ')}]`;
      if (atom.url !== '') return `{NonResourceURLs:${quote(atom.url)}, ${verbText}}`;
      const name = atom.name === '' ? '' : `, ResourceNames:${quote(atom.name)}`;
      return `{APIGroups:${quote(atom.group)}, Resources:${quote(atom.resource)}${name}, ${verbText}}`;
    })
    .sort();
}
