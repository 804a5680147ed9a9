import { changedEach, withMissing } from '../../defaults/missing.ts';
import type { PolicyRule, RoleRef, Subject } from '../../types.ts';
import { type FieldErrors, invalid, notSupported, required } from '../../validation/field-errors.ts';
import { isDns1123Subdomain, nameIsPathSegment } from '../../validation/names.ts';

/** Rules and bindings of roles of both scopes. Upstream: pkg/apis/rbac/validation/validation.go and v1/defaults.go. */
const rbacGroup = 'rbac.authorization.k8s.io';

export function checkRules(rules: readonly PolicyRule[] | null | undefined, namespaced: boolean, out: FieldErrors): void {
  for (const [i, rule] of (rules ?? []).entries()) {
    const path = `rules[${i}]`;
    const { nonResourceURLs = [], apiGroups = [], resources = [], resourceNames = [] } = rule;
    if ((rule.verbs ?? []).length === 0) out.push(required(`${path}.verbs`, 'verbs must contain at least one value'));
    if (nonResourceURLs.length > 0) {
      if (namespaced) out.push(invalid(`${path}.nonResourceURLs`, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'));
      if (apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0) {
        out.push(invalid(`${path}.nonResourceURLs`, nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'));
      }
      continue;
    }
    if (apiGroups.length === 0) out.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
    if (resources.length === 0) out.push(required(`${path}.resources`, 'resource rules must supply at least one resource'));
  }
}

interface Binding {
  readonly roleRef: RoleRef;
  readonly subjects?: readonly Subject[];
}

export function defaultBinding<T extends Binding>(binding: T): T {
  const given = binding.roleRef ?? { kind: '', name: '' };
  const roleRef = (given.apiGroup ?? '') === '' ? { ...given, apiGroup: rbacGroup } : given;
  const referred = roleRef === binding.roleRef ? binding : { ...binding, roleRef };
  return changedEach<T, 'subjects', Subject>(referred as T & { readonly subjects?: readonly Subject[] }, 'subjects', (subject) =>
    subject.kind === 'User' || subject.kind === 'Group' ? withMissing(subject, { apiGroup: rbacGroup }) : subject,
  );
}

export function checkBinding(
  { roleRef, subjects = [] }: Binding,
  roleKinds: readonly string[],
  namespaced: boolean,
  out: FieldErrors,
): void {
  const group = roleRef?.apiGroup ?? '';
  if (group !== rbacGroup) out.push(notSupported('roleRef.apiGroup', group, [rbacGroup]));
  if (!roleKinds.includes(roleRef?.kind ?? '')) out.push(notSupported('roleRef.kind', roleRef?.kind ?? '', roleKinds));
  const name = roleRef?.name ?? '';
  if (name === '') out.push(required('roleRef.name'));
  else for (const message of nameIsPathSegment(name, false)) out.push(invalid('roleRef.name', name, message));
  for (const [i, subject] of subjects.entries()) checkSubject(subject, namespaced, `subjects[${i}]`, out);
}

function checkSubject(subject: Subject, namespaced: boolean, field: string, out: FieldErrors): void {
  const { name = '', apiGroup = '' } = subject;
  if (name === '') out.push(required(`${field}.name`));
  switch (subject.kind) {
    case 'ServiceAccount':
      if (name !== '') for (const message of isDns1123Subdomain(name)) out.push(invalid(`${field}.name`, name, message));
      if (apiGroup !== '') out.push(notSupported(`${field}.apiGroup`, apiGroup, ['']));
      if (!namespaced && (subject.namespace ?? '') === '') out.push(required(`${field}.namespace`));
      break;
    case 'User':
    case 'Group':
      if (apiGroup !== rbacGroup) out.push(notSupported(`${field}.apiGroup`, apiGroup, [rbacGroup]));
      break;
    default:
      out.push(notSupported(`${field}.kind`, subject.kind ?? '', ['ServiceAccount', 'User', 'Group']));
  }
}

/** A binding never changes its role. */
export function checkRoleRefUpdate({ roleRef: next }: Binding, { roleRef: previous }: Binding, out: FieldErrors): void {
  if (next.apiGroup === previous.apiGroup && next.kind === previous.kind && next.name === previous.name) return;
  out.push(invalid('roleRef', { APIGroup: next.apiGroup ?? '', Kind: next.kind ?? '', Name: next.name ?? '' }, 'cannot change roleRef'));
}

/** The names of subjects of one kind, for the wide columns. */
export function subjectNames({ subjects = [] }: Binding, kind: string): string {
  return subjects
    .filter((s) => s.kind === kind)
    .map((s) => (kind === 'ServiceAccount' ? `${s.namespace ?? ''}/${s.name}` : s.name))
    .join(',');
}
