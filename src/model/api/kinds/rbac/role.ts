import type { Role } from '../../types.ts';
import type { FieldErrors } from '../../validation/field-errors.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsPathSegment } from '../../validation/names.ts';
import { columns, createdAt } from '../columns.ts';
import { defineKind } from '../define.ts';
import { checkRules } from './rules.ts';

/** Upstream: pkg/registry/rbac/role/strategy.go, pkg/apis/rbac/validation. */
const rule = { namespaced: true, name: nameIsPathSegment, coreFinalizers: true };

function validate(object: Role): FieldErrors {
  const out: FieldErrors = [];
  checkMetadata(object.metadata, rule, out);
  checkRules(object.rules, true, out);
  return out;
}

export const role = defineKind<Role>('rbac.authorization.k8s.io/v1', 'roles', {
  validate,
  validateUpdate(next, previous) {
    const out = next.rules === previous.rules ? [] : validate(next);
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    return out;
  },
  columns: columns<Role>('roles.rbac.authorization.k8s.io', [createdAt()]),
});
