import type { ObjectMeta, OwnerReference } from '../object.ts';
import { type FieldErrors, forbidden, invalid, required } from './field-errors.ts';
import { checkImmutable } from './immutable.ts';
import { checkAnnotations, checkLabels } from './labels.ts';
import { isDns1123Label, isQualifiedName, type NameRule } from './names.ts';
import { checkNonNegative } from './numbers.ts';

/** The envelope of every object. Upstream: k8s.io/apimachinery/pkg/api/validation/objectmeta.go. */

const bannedOwners: readonly string[] = ['v1/Event'];
const standardFinalizers: readonly string[] = ['kubernetes', 'orphan', 'foregroundDeletion'];
const immutableByUpdate = 'field is immutable; may only be changed via deletion';

/** What a kind demands of its metadata. */
export interface MetadataRule {
  readonly namespaced: boolean;
  readonly name: NameRule;
  /** Legacy check of the core group's kinds that finalizers are qualified or standard. */
  readonly coreFinalizers?: boolean;
}

/** ValidateObjectMeta: on creation, and where kinds check the whole object again on update. */
export function checkMetadata(meta: ObjectMeta, rule: MetadataRule, out: FieldErrors): void {
  if (meta.generateName !== undefined && meta.generateName !== '') {
    for (const message of rule.name(meta.generateName, true)) out.push(invalid('metadata.generateName', meta.generateName, message));
  }
  if (meta.name === undefined || meta.name === '') out.push(required('metadata.name', 'name or generateName is required'));
  else for (const message of rule.name(meta.name, false)) out.push(invalid('metadata.name', meta.name, message));
  const namespace = meta.namespace ?? '';
  if (rule.namespaced) {
    if (namespace === '') out.push(required('metadata.namespace'));
    else for (const message of isDns1123Label(namespace)) out.push(invalid('metadata.namespace', namespace, message));
  } else if (namespace !== '') out.push(forbidden('metadata.namespace', 'not allowed on this type'));
  checkNonNegative(meta.generation, 'metadata.generation', out);
  checkLabels(meta.labels, 'metadata.labels', out);
  checkAnnotations(meta.annotations, 'metadata.annotations', out);
  checkOwners(meta.ownerReferences, out);
  for (const finalizer of meta.finalizers ?? []) checkFinalizerName(finalizer, 'metadata.finalizers', out);
  checkFinalizerPolicy(meta.finalizers, out);
  if (rule.coreFinalizers === true) checkCoreFinalizers(meta.finalizers, out);
}

/** ValidateObjectMetaUpdate. The server has already carried over what an update may leave out (uid, creation time). */
export function checkMetadataUpdate(next: ObjectMeta, previous: ObjectMeta, rule: MetadataRule, out: FieldErrors): void {
  if (next === previous) return;
  if (next.deletionGracePeriodSeconds !== undefined && next.deletionGracePeriodSeconds !== previous.deletionGracePeriodSeconds) {
    out.push(invalid('metadata.deletionGracePeriodSeconds', next.deletionGracePeriodSeconds, 'field is immutable'));
  }
  if (next.deletionTimestamp !== undefined && next.deletionTimestamp !== previous.deletionTimestamp) {
    out.push(invalid('metadata.deletionTimestamp', next.deletionTimestamp, immutableByUpdate));
  }
  if (previous.deletionTimestamp !== undefined && next.finalizers !== previous.finalizers) {
    const added = (next.finalizers ?? []).filter((f) => !(previous.finalizers ?? []).includes(f));
    if (added.length > 0) {
      out.push(
        forbidden(
          'metadata.finalizers',
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((f) => JSON.stringify(f)).join(', ')}}`,
        ),
      );
    }
  }
  if (next.resourceVersion === undefined || next.resourceVersion === '') {
    out.push(invalid('metadata.resourceVersion', '', 'must be specified for an update'));
  }
  if ((next.generation ?? 0) < (previous.generation ?? 0))
    out.push(invalid('metadata.generation', next.generation ?? 0, 'must not be decremented'));
  checkImmutable(next.name, previous.name, 'metadata.name', out);
  checkImmutable(next.namespace, previous.namespace, 'metadata.namespace', out);
  checkImmutable(next.uid, previous.uid, 'metadata.uid', out);
  checkImmutable(next.creationTimestamp, previous.creationTimestamp, 'metadata.creationTimestamp', out);
  if (next.labels !== previous.labels) checkLabels(next.labels, 'metadata.labels', out);
  if (next.annotations !== previous.annotations) checkAnnotations(next.annotations, 'metadata.annotations', out);
  if (next.ownerReferences !== previous.ownerReferences) checkOwners(next.ownerReferences, out);
  if (rule.coreFinalizers === true && next.finalizers !== previous.finalizers) checkCoreFinalizers(next.finalizers, out);
}

/** ValidateFinalizerName. */
export function checkFinalizerName(finalizer: string, field: string, out: FieldErrors): void {
  for (const message of isQualifiedName(finalizer)) out.push(invalid(field, finalizer, message));
}

/** validateKubeFinalizerName of pkg/apis/core/validation. */
export function checkKubeFinalizer(finalizer: string, field: string, out: FieldErrors): void {
  if (!finalizer.includes('/') && !standardFinalizers.includes(finalizer)) {
    out.push(invalid(field, finalizer, 'name is neither a standard finalizer name nor is it fully qualified'));
  }
}

function checkCoreFinalizers(finalizers: readonly string[] | undefined, out: FieldErrors): void {
  if (finalizers === undefined) return;
  for (let i = 0; i < finalizers.length; i++) checkKubeFinalizer(finalizers[i] ?? '', `metadata.finalizers[${i}]`, out);
}

/** The garbage collector's two finalizers exclude each other. */
function checkFinalizerPolicy(finalizers: readonly string[] | undefined, out: FieldErrors): void {
  if (finalizers === undefined) return;
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    out.push(invalid('metadata.finalizers', finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'));
  }
}

/** ValidateOwnerReferences. Upstream names the field without an index. */
function checkOwners(owners: readonly OwnerReference[] | undefined, out: FieldErrors): void {
  if (owners === undefined) return;
  const field = 'metadata.ownerReferences';
  let controller = '';
  let reported = false;
  for (const owner of owners) {
    const { version, group } = splitApiVersion(owner.apiVersion ?? '');
    if (version === '') out.push(invalid(`${field}.apiVersion`, owner.apiVersion ?? '', 'version must not be empty'));
    if ((owner.kind ?? '') === '') out.push(invalid(`${field}.kind`, owner.kind ?? '', 'must not be empty'));
    if ((owner.name ?? '') === '') out.push(invalid(`${field}.name`, owner.name ?? '', 'must not be empty'));
    if ((owner.uid ?? '') === '') out.push(invalid(`${field}.uid`, owner.uid ?? '', 'must not be empty'));
    if (bannedOwners.includes(`${owner.apiVersion}/${owner.kind}`)) {
      out.push(
        invalid(
          field,
          goOwner(owner),
          `${group === '' ? '' : `${group}/`}${version}, Kind=${owner.kind} is disallowed from being an owner`,
        ),
      );
    }
    if (owner.controller !== true) continue;
    if (controller !== '' && !reported) {
      reported = true;
      out.push(
        invalid(
          field,
          owners.map(goOwner),
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${owner.kind}/${owner.name}`,
        ),
      );
    }
    if (controller === '') controller = `${owner.kind}/${owner.name}`;
  }
}

function goOwner(owner: OwnerReference): OwnerReference {
  const { apiVersion, kind, name, uid, controller, blockOwnerDeletion } = owner;
  return {
    apiVersion,
    kind,
    name,
    uid,
    ...(controller !== undefined ? { controller } : {}),
    ...(blockOwnerDeletion !== undefined ? { blockOwnerDeletion } : {}),
  };
}

/** schema.ParseGroupVersion without its error. */
export function splitApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? { group: '', version: apiVersion } : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}
