import type { ServiceAccount } from '../../types.ts';
import type { FieldErrors } from '../../validation/field-errors.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../validation/names.ts';
import { age, columns } from '../columns.ts';
import { defineKind } from '../define.ts';

/** Upstream: pkg/registry/core/serviceaccount/strategy.go, pkg/apis/core/validation. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };
const enforceKey = 'kubernetes.io/enforce-mountable-secrets';

export const serviceAccount = defineKind<ServiceAccount>('v1', 'serviceaccounts', {
  /** Secrets of a new account are dropped: only a controller lists them. */
  validate({ metadata }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    checkMetadata(next.metadata, rule, out);
    return out;
  },
  warnings(next, previous) {
    const isNew = next.metadata.annotations?.[enforceKey] !== undefined && previous?.metadata.annotations?.[enforceKey] === undefined;
    return isNew
      ? [`metadata.annotations[${enforceKey}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`]
      : [];
  },
  columns: columns<ServiceAccount>('serviceaccounts', [age()]),
});
