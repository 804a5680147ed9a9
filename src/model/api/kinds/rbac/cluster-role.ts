import type { ClusterRole } from '../../types.ts';
import { type FieldErrors, required } from '../../validation/field-errors.ts';
import { checkLabelSelector } from '../../validation/labels.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsPathSegment } from '../../validation/names.ts';
import { columns, createdAt } from '../columns.ts';
import { defineKind } from '../define.ts';
import { checkRules } from './rules.ts';

/** Upstream: pkg/registry/rbac/clusterrole/strategy.go, pkg/apis/rbac/validation. */
const rule = { namespaced: false, name: nameIsPathSegment, coreFinalizers: true };

function validate(object: ClusterRole): FieldErrors {
  const out: FieldErrors = [];
  checkMetadata(object.metadata, rule, out);
  checkRules(object.rules, false, out);
  const selectors = object.aggregationRule?.clusterRoleSelectors;
  if (object.aggregationRule !== undefined) {
    const path = 'aggregationRule.clusterRoleSelectors';
    if (selectors === undefined || selectors.length === 0)
      out.push(required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil'));
    else for (const [i, selector] of selectors.entries()) checkLabelSelector(selector, `${path}[${i}]`, out);
  }
  return out;
}

export const clusterRole = defineKind<ClusterRole>('rbac.authorization.k8s.io/v1', 'clusterroles', {
  validate,
  validateUpdate(next, previous) {
    const out = next.rules === previous.rules && next.aggregationRule === previous.aggregationRule ? [] : validate(next);
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    return out;
  },
  columns: columns<ClusterRole>('clusterroles.rbac.authorization.k8s.io', [createdAt()]),
});
