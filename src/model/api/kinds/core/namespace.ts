import type { Namespace } from '../../types.ts';
import { type FieldErrors, invalid } from '../../validation/field-errors.ts';
import { checkFinalizerName, checkKubeFinalizer, checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsLabel } from '../../validation/names.ts';
import { age, columns } from '../columns.ts';
import { defineKind } from '../define.ts';
import { keepStatus, statusUpdate } from '../strategy.ts';

/** Upstream: pkg/registry/core/namespace/strategy.go, pkg/apis/core/v1/defaults.go, pkg/apis/core/validation. */
const nameLabel = 'kubernetes.io/metadata.name';
const rule = {
  namespaced: false,
  coreFinalizers: true,
  name: (name: string, prefix: boolean): readonly string[] =>
    name.includes('.') ? ['must not contain dots'] : nameIsDnsLabel(name, prefix),
};

/** A namespace is labelled with its name, so that selectors can find it by name. */
function setDefaults(namespace: Namespace): Namespace {
  const name = namespace.metadata.name ?? '';
  if (name === '' || namespace.metadata.labels?.[nameLabel] === name) return namespace;
  return { ...namespace, metadata: { ...namespace.metadata, labels: { ...namespace.metadata.labels, [nameLabel]: name } } };
}

export const namespace = defineKind<Namespace>('v1', 'namespaces', {
  setDefaults,
  prepareForCreate(object) {
    const finalizers = object.spec?.finalizers ?? [];
    // A generated name is known only now.
    const named = setDefaults(object);
    return {
      ...named,
      spec: finalizers.includes('kubernetes') ? object.spec : { ...object.spec, finalizers: [...finalizers, 'kubernetes'] },
      status: { phase: 'Active' },
    };
  },
  prepareForUpdate: (next, previous) =>
    keepStatus(next.spec?.finalizers === previous.spec?.finalizers ? next : { ...next, spec: previous.spec }, previous),
  prepareForStatusUpdate: statusUpdate,
  validate({ metadata, spec }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    for (const finalizer of spec?.finalizers ?? []) {
      checkFinalizerName(finalizer, 'spec.finalizers', out);
      checkKubeFinalizer(finalizer, 'spec.finalizers', out);
    }
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadata(next.metadata, rule, out);
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    return out;
  },
  validateStatusUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    const phase: string = next.status?.phase ?? '';
    if (next.metadata.deletionTimestamp === undefined) {
      if (phase !== 'Active') out.push(invalid('status.Phase', phase, "may only be 'Active' if `deletionTimestamp` is empty"));
    } else if (phase !== 'Terminating')
      out.push(invalid('status.Phase', phase, "may only be 'Terminating' if `deletionTimestamp` is not empty"));
    return out;
  },
  fieldNames: ['status.phase'],
  fields: ({ status }) => ({ 'status.phase': status?.phase ?? '' }),
  columns: columns<Namespace>('namespaces', [['Status', 'string', ({ status }) => status?.phase ?? ''], age()]),
});
