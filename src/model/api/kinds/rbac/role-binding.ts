import type { RoleBinding } from '../../types.ts';
import type { FieldErrors } from '../../validation/field-errors.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsPathSegment } from '../../validation/names.ts';
import { age, columns } from '../columns.ts';
import { defineKind } from '../define.ts';
import { checkBinding, checkRoleRefUpdate, defaultBinding, subjectNames } from './rules.ts';

/** Upstream: pkg/registry/rbac/rolebinding/strategy.go, pkg/apis/rbac/validation. */
const rule = { namespaced: true, name: nameIsPathSegment, coreFinalizers: true };

function validate(object: RoleBinding): FieldErrors {
  const out: FieldErrors = [];
  checkMetadata(object.metadata, rule, out);
  checkBinding(object, ['Role', 'ClusterRole'], true, out);
  return out;
}

export const roleBinding = defineKind<RoleBinding>('rbac.authorization.k8s.io/v1', 'rolebindings', {
  setDefaults: defaultBinding,
  validate,
  validateUpdate(next, previous) {
    const out = validate(next);
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    checkRoleRefUpdate(next, previous, out);
    return out;
  },
  columns: columns<RoleBinding>('rolebindings.rbac.authorization.k8s.io', [
    ['Role', 'string', ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`],
    age(),
    ['Users', 'string', (binding) => subjectNames(binding, 'User'), 1],
    ['Groups', 'string', (binding) => subjectNames(binding, 'Group'), 1],
    ['ServiceAccounts', 'string', (binding) => subjectNames(binding, 'ServiceAccount'), 1],
  ]),
});
