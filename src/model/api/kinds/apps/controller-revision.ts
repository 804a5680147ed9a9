import type { ControllerRevision } from '../../types.ts';
import { type FieldErrors, required } from '../../validation/field-errors.ts';
import { checkImmutable } from '../../validation/immutable.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkNonNegative } from '../../validation/numbers.ts';
import { age, columns, none } from '../columns.ts';
import { defineKind } from '../define.ts';

/** Upstream: pkg/registry/apps/controllerrevision, pkg/apis/apps/validation. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };

function controllerText(revision: ControllerRevision): string {
  const owner = revision.metadata.ownerReferences?.find((o) => o.controller === true);
  if (owner === undefined) return none;
  const slash = owner.apiVersion.indexOf('/');
  const group = slash < 0 ? '' : `.${owner.apiVersion.slice(0, slash)}`;
  return `${owner.kind.toLowerCase()}${group}/${owner.name}`;
}

export const controllerRevision = defineKind<ControllerRevision>('apps/v1', 'controllerrevisions', {
  validate({ metadata, revision, data }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    if (data === undefined || data === null) out.push(required('data', 'data is mandatory'));
    checkNonNegative(revision, 'revision', out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    checkNonNegative(next.revision, 'revision', out);
    checkImmutable(next.data, previous.data, 'data', out);
    return out;
  },
  columns: columns<ControllerRevision>('controllerrevisions.apps', [
    ['Controller', 'string', controllerText],
    ['Revision', 'string', ({ revision }) => revision ?? 0],
    age(),
  ]),
});
