import { equalApartFromVersion, equalJson } from '../equal.ts';
import type { ManagedFieldsEntry, UntypedObject } from '../object.ts';
import { type StructType, zeroObject } from '../schema.ts';
import { difference, type FieldSet, intersection, isEmptySet, leaf, pathsOf, union, withoutBelow } from './field-set.ts';
import { remembered } from './shared-sets.ts';
import { typedErrors } from './typed-errors.ts';
import { compareTyped, ensureNamedMembers, fieldSetOf, mergeTyped, removeItems } from './typed-walk.ts';

/**
 * Who owns which field: upstream `k8s.io/apimachinery/pkg/util/managedfields`. All functions answer new objects and share what they can.
 */
export interface FieldManagerRequest {
  readonly type: StructType;
  readonly apiVersion: string;
  readonly manager: string;
  readonly subresource: string;
  /** metav1.Time of now; undefined for scale, whose entries have none. */
  readonly time: string | undefined;
  /** Fields that this write resets anyway (the status of a main update), so nobody comes to own them by it. */
  readonly ignored: FieldSet;
}

/** Fields that belong to the system (upstream stripMeta). */
const systemFields: FieldSet = {
  'f:apiVersion': leaf,
  'f:kind': leaf,
  'f:metadata': {
    'f:name': leaf,
    'f:namespace': leaf,
    'f:creationTimestamp': leaf,
    'f:selfLink': leaf,
    'f:uid': leaf,
    'f:clusterName': leaf,
    'f:generation': leaf,
    'f:managedFields': leaf,
    'f:resourceVersion': leaf,
  },
};

const updateManagersMax = 10;
const ancientManager = 'ancient-changes';
const beforeFirstApply = 'before-first-apply';

/** What of a change anybody comes to own: not what belongs to the system, nor what this kind of write resets. */
const ownable = remembered((set, ignored) => withoutBelow(stripSystem(set), ignored));
/** What another one still owns after somebody took this from him. */
const leftOver = remembered(difference);
const together = remembered(union);

function stripSystem(set: FieldSet): FieldSet {
  const stripped = withoutBelow(set, systemFields);
  const metadata = stripped['f:metadata'];
  if (metadata?.['.'] === undefined) return stripped;
  const { '.': _, ...rest } = metadata;
  if (isEmptySet(rest)) {
    const { 'f:metadata': __, ...others } = stripped;
    return others;
  }
  return { ...stripped, 'f:metadata': rest };
}

function isSame(entry: ManagedFieldsEntry, manager: string, operation: string, apiVersion: string, subresource: string): boolean {
  return (
    entry.manager === manager &&
    entry.operation === operation &&
    (entry.subresource ?? '') === subresource &&
    (operation === 'Apply' || entry.apiVersion === apiVersion)
  );
}

/** The entries that a write starts from: the request's own if it has readable ones, else those stored; none when it resets them. */
function startingEntries(live: UntypedObject | undefined, next: UntypedObject): readonly ManagedFieldsEntry[] {
  const given = next.metadata.managedFields;
  const stored = live?.metadata.managedFields ?? [];
  if (given === undefined || given.length === 0) return stored;
  if (given === stored) return stored;
  if (given.length === 1 && Object.keys(given[0] ?? {}).length === 0) return [];
  for (const entry of given) {
    if (entry.operation !== 'Apply' && entry.operation !== 'Update') return stored;
    if (entry.fieldsType !== 'FieldsV1' || typeof entry.fieldsV1 !== 'object' || !isReadable(entry.fieldsV1 as unknown as FieldSet))
      return stored;
  }
  return given;
}

function isReadable(set: FieldSet): boolean {
  for (const key in set) {
    if (key !== '.' && !/^[fkvi]:/.test(key)) return false;
    if (!isReadable(set[key] as FieldSet)) return false;
  }
  return true;
}

function fieldsOf(entry: ManagedFieldsEntry): FieldSet {
  return (entry.fieldsV1 ?? leaf) as unknown as FieldSet;
}

function withFields(entry: ManagedFieldsEntry, fields: FieldSet): ManagedFieldsEntry {
  return { ...entry, fieldsV1: fields as unknown as NonNullable<ManagedFieldsEntry['fieldsV1']> };
}

function entryOf(
  request: FieldManagerRequest,
  operation: 'Apply' | 'Update',
  fields: FieldSet,
  time: string | undefined,
): ManagedFieldsEntry {
  return {
    manager: request.manager,
    operation,
    apiVersion: request.apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: fields as unknown as NonNullable<ManagedFieldsEntry['fieldsV1']>,
    ...(request.subresource === '' ? {} : { subresource: request.subresource }),
  };
}

/** Upstream sortEncodedManagedFields. */
function sorted(entries: readonly ManagedFieldsEntry[]): readonly ManagedFieldsEntry[] {
  const order = (a: string | undefined, b: string | undefined): number => ((a ?? '') < (b ?? '') ? -1 : (a ?? '') > (b ?? '') ? 1 : 0);
  if (entries.length < 2) return entries;
  return [...entries].sort(
    (a, b) =>
      order(a.operation, b.operation) ||
      order(a.time, b.time) ||
      order(a.manager, b.manager) ||
      order(a.apiVersion, b.apiVersion) ||
      order(a.subresource, b.subresource),
  );
}

/** Upstream capManagers: the oldest update entries become one when there are more than ten. */
function capped(entries: readonly ManagedFieldsEntry[]): readonly ManagedFieldsEntry[] {
  if (entries.length <= updateManagersMax) return entries;
  const updates = entries.filter((entry) => entry.operation === 'Update');
  if (updates.length <= updateManagersMax) return entries;
  const oldest = sorted(updates);
  const merged = oldest.slice(0, oldest.length - updateManagersMax + 1);
  let result: readonly ManagedFieldsEntry[] = entries.filter((entry) => !merged.includes(entry));
  const first = merged[0];
  if (first !== undefined) {
    const fields = merged.reduce<FieldSet>((all, entry) => union(all, fieldsOf(entry)), leaf);
    result = [...result, { ...withFields(first, fields), manager: ancientManager }];
  }
  return result;
}

function withEntries(object: UntypedObject, entries: readonly ManagedFieldsEntry[]): UntypedObject {
  if (object.metadata.managedFields === undefined) {
    // Taking a field out of an object is slow, and a create has none to take.
    return entries.length === 0 ? object : { ...object, metadata: { ...object.metadata, managedFields: entries } };
  }
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata: entries.length === 0 ? metadata : { ...metadata, managedFields: entries } };
}

function equalButForTime(a: ManagedFieldsEntry, b: ManagedFieldsEntry | undefined): boolean {
  return (
    a === b ||
    (b !== undefined &&
      isSame(a, b.manager ?? '', b.operation ?? '', b.apiVersion ?? '', b.subresource ?? '') &&
      a.apiVersion === b.apiVersion &&
      equalJson(a.fieldsV1, b.fieldsV1))
  );
}

/** Entries equal but for their times, on an object equal but for them: the write is none, and keeps the old times. */
function settle(live: UntypedObject | undefined, next: UntypedObject, entries: readonly ManagedFieldsEntry[]): UntypedObject {
  const stored = live?.metadata.managedFields ?? [];
  if (live !== undefined && entries.length === stored.length) {
    const isEqual = entries.every((entry, i) => equalButForTime(entry, stored[i]));
    if (isEqual) {
      const kept = withEntries(next, stored);
      if (equalApartFromVersion(kept, live)) return kept;
    }
  }
  return withEntries(next, entries);
}

/** Ownership after an ordinary write (create, update, patch): upstream FieldManager.Update. */
export function trackUpdate(request: FieldManagerRequest, live: UntypedObject | undefined, next: UntypedObject): UntypedObject {
  const entries = startingEntries(live, next);
  // Objects that nobody tracks stay so until somebody applies (upstream skipNonAppliedManager).
  if (live !== undefined && entries.length === 0) return withEntries(next, []);
  const { changed, removed } = ownedChanges(request, live, next);
  if (isEmptySet(changed) && isEmptySet(removed)) return settle(live, next, entries);
  return settle(live, next, sorted(capped(claim(request, entries, changed, removed))));
}

function ownedChanges(
  request: FieldManagerRequest,
  live: UntypedObject | undefined,
  next: UntypedObject,
): { changed: FieldSet; removed: FieldSet } {
  const { changed, removed } = compareTyped(request.type, live ?? zeroObject(request.type), next);
  return { changed: ownable(changed, request.ignored), removed: ownable(removed, request.ignored) };
}

/** The writer takes what it changed from everybody, and what is gone is nobody's. */
function claim(
  request: FieldManagerRequest,
  entries: readonly ManagedFieldsEntry[],
  changed: FieldSet,
  removed: FieldSet,
): readonly ManagedFieldsEntry[] {
  const { manager, apiVersion, subresource } = request;
  const result: ManagedFieldsEntry[] = [];
  let own: ManagedFieldsEntry | undefined;
  for (const entry of entries) {
    const isOwn = isSame(entry, manager, 'Update', apiVersion, subresource);
    const before = fieldsOf(entry);
    const fields = leftOver(leftOver(before, changed), removed);
    if (isOwn) own = withFields(entry, fields);
    else if (fields === before) result.push(entry);
    else if (!isEmptySet(fields)) result.push(withFields(entry, fields));
  }
  const owned = together(own === undefined ? leaf : fieldsOf(own), changed);
  if (isEmptySet(owned)) return result;
  const time = isEmptySet(changed) ? own?.time : request.time;
  result.push(entryOf(request, 'Update', owned, time));
  return result;
}

export interface FieldConflict {
  readonly manager: string;
  /** 'conflict with "x" using v1'. */
  readonly text: string;
  readonly field: string;
}

export type ApplyOutcome =
  | { readonly object: UntypedObject; readonly conflicts?: undefined; readonly error?: undefined }
  | { readonly conflicts: readonly FieldConflict[]; readonly object?: undefined; readonly error?: undefined }
  | { readonly error: string; readonly object?: undefined; readonly conflicts?: undefined };

/** What a configuration sets, and what is wrong with it; the same object applied again is not examined again. */
interface Configuration {
  readonly type: StructType;
  readonly ignored: FieldSet;
  readonly errors: readonly string[];
  readonly set: FieldSet;
}
const configurations = new WeakMap<UntypedObject, Configuration>();

function configurationOf(request: FieldManagerRequest, config: UntypedObject): Configuration {
  const known = configurations.get(config);
  if (known !== undefined && known.type === request.type && known.ignored === request.ignored) return known;
  const errors = typedErrors(request.type, config, '');
  const set = errors.length > 0 ? leaf : ownable(fieldSetOf(request.type, config), request.ignored);
  const made = { type: request.type, ignored: request.ignored, errors, set };
  configurations.set(config, made);
  return made;
}

/** Server-side apply of a configuration: upstream FieldManager.Apply. The answer is not decoded or defaulted yet. */
export function applyConfiguration(
  request: FieldManagerRequest,
  live: UntypedObject | undefined,
  config: UntypedObject,
  force: boolean,
  finish: (merged: UntypedObject) => UntypedObject,
): ApplyOutcome {
  const { type, manager, apiVersion, subresource } = request;
  const fields = configurationOf(request, config);
  const own = live?.metadata.managedFields?.find((entry) => isSame(entry, manager, 'Apply', apiVersion, subresource));
  if (
    live !== undefined &&
    own !== undefined &&
    fields.errors.length === 0 &&
    equalJson(fieldsOf(own), fields.set) &&
    mergeTyped(type, undefined, live, config) === live
  ) {
    // The applier owns exactly this already, and the object says it.
    return { object: live };
  }
  const { errors } = fields;
  if (errors.length > 0) {
    const { name = '', namespace } = config.metadata;
    const shown = typeof name === 'string' ? name : '';
    const prefix = `failed to create typed patch object (${namespace ?? ''}/${shown}; ${apiVersion.includes('/') ? '' : '/'}${apiVersion}, Kind=${config.kind}): `;
    return { error: prefix + (errors.length === 1 ? errors[0] : `errors:\n${errors.map((e) => `  ${e}`).join('\n')}`) };
  }
  const stored = live?.metadata.managedFields ?? [];
  const entries = live !== undefined && stored.length === 0 ? adopted(request, live) : stored;
  const base = (live ?? { apiVersion: config.apiVersion, kind: config.kind, metadata: {} }) as UntypedObject;
  const { managedFields: _, ...bareMetadata } = base.metadata;
  const bare: UntypedObject = { ...base, metadata: bareMetadata };
  const { set } = fields;
  let merged = mergeTyped(type, undefined, bare, config) as UntypedObject;
  if (own !== undefined && !isEmptySet(fieldsOf(own))) merged = prune(type, merged, entries, own, set);
  const next = finish(merged);
  const { changed, removed } = ownedChanges(request, live === undefined ? undefined : bare, live === undefined ? merged : next);
  const others = entries.filter((entry) => entry !== own);
  if (!force) {
    const conflicts = conflictsOf(others, changed);
    if (conflicts.length > 0) return { conflicts };
  }
  const result: ManagedFieldsEntry[] = [];
  for (const entry of others) {
    const before = fieldsOf(entry);
    const fields = leftOver(leftOver(before, changed), removed);
    if (fields === before) result.push(entry);
    else if (!isEmptySet(fields)) result.push(withFields(entry, fields));
  }
  const isNoop = live !== undefined && isEmptySet(changed) && isEmptySet(removed) && equalApartFromVersion(bare, next);
  if (!isEmptySet(set)) result.push(entryOf(request, 'Apply', set, isNoop ? own?.time : request.time));
  return { object: settle(live, next, sorted(capped(result))) };
}

/** What an untracked object holds when it is first applied to belongs to a made-up manager. */
function adopted(request: FieldManagerRequest, live: UntypedObject): readonly ManagedFieldsEntry[] {
  const { changed } = compareTyped(request.type, zeroObject(request.type), live);
  const fields = stripSystem(changed);
  return isEmptySet(fields) ? [] : [entryOf({ ...request, manager: beforeFirstApply, subresource: '' }, 'Update', fields, request.time)];
}

/** Removes what the applier owned before, no longer applies, and nobody else owns. */
function prune(
  type: StructType,
  merged: UntypedObject,
  entries: readonly ManagedFieldsEntry[],
  own: ManagedFieldsEntry,
  set: FieldSet,
): UntypedObject {
  let kept = set;
  for (const entry of entries) if (entry !== own) kept = union(kept, fieldsOf(entry));
  const gone = difference(ensureNamedMembers(type, fieldsOf(own)), ensureNamedMembers(type, kept));
  if (isEmptySet(gone)) return merged;
  const pruned = removeItems(type, merged, withAncestorsKept(gone)) as UntypedObject;
  return pruned.metadata === undefined ? { ...pruned, metadata: {} } : pruned;
}

/** The envelope itself never goes. */
function withAncestorsKept(gone: FieldSet): FieldSet {
  const metadata = gone['f:metadata'];
  if (metadata === undefined) return gone;
  const { '.': _, ...rest } = metadata;
  const { 'f:metadata': __, ...others } = gone;
  return isEmptySet(rest) ? others : { ...others, 'f:metadata': rest };
}

function conflictsOf(entries: readonly ManagedFieldsEntry[], changed: FieldSet): readonly FieldConflict[] {
  const conflicts: FieldConflict[] = [];
  for (const entry of entries) {
    const both = intersection(fieldsOf(entry), changed);
    if (isEmptySet(both)) continue;
    const detail = `${JSON.stringify(entry.manager)}${entry.subresource === undefined ? '' : ` with subresource ${JSON.stringify(entry.subresource)}`}${entry.operation === 'Update' ? ` using ${entry.apiVersion}` : ''}`;
    for (const field of pathsOf(both)) conflicts.push({ manager: detail, text: `conflict with ${detail}`, field });
  }
  return conflicts;
}

/** The message of a refused apply. */
export function conflictMessage(conflicts: readonly FieldConflict[]): string {
  if (conflicts.length === 1) return `Apply failed with 1 conflict: ${conflicts[0]?.text}: ${conflicts[0]?.field}`;
  const byManager = new Map<string, string[]>();
  for (const { manager, field } of conflicts) byManager.set(manager, [...(byManager.get(manager) ?? []), field]);
  const parts = [...byManager.keys()].sort().map((manager) => {
    const fields = byManager.get(manager) ?? [];
    return fields.length === 1
      ? `conflict with ${manager}: ${fields[0]}`
      : `conflicts with ${manager}:\n${fields.map((field) => `- ${field}`).join('\n')}`;
  });
  return `Apply failed with ${conflicts.length} conflicts: ${parts.join('\n')}`;
}
