import type { Task } from '../../sim/task.ts';
import { parseFieldSelector } from '../api/field-selector.ts';
import { inVersion } from '../api/kinds/conversion.ts';
import { isSelectorError, parseLabelSelector } from '../api/label-selector.ts';
import type { ApiList, Status, UntypedObject } from '../api/object.ts';
import type { ServedKind } from '../api/registry.ts';
import type { ApiResponse, RequestOptions } from '../api/request.ts';
import { badRequest, expired, notFound, tooLargeResourceVersion } from '../api/status.ts';
import { type ContinueToken, decodeContinue, encodeContinue } from './continue-token.ts';
import { isConverted } from './conversion.ts';
import { refuse } from './refusal.ts';
import { checkListOptions } from './request-options.ts';
import { keyOf, prefixOf, readObject } from './resource-store.ts';
import { everything, type Selection, selectionOf, selects } from './selection.ts';
import type { RequestScope } from './server-context.ts';
import { isStorageFailure, type StorageEntry } from './storage.ts';
import { storageStatus } from './storage-errors.ts';
import { invalidVersion } from './update.ts';

const versionPattern = /^[0-9]+$/;

/** GET of one object: from etcd, or from the cache when a resourceVersion says that older will do. */
export function* get(scope: RequestScope): Task<ApiResponse> {
  const { kind, server } = scope;
  const name = scope.request.name ?? '';
  const version = scope.options.resourceVersion ?? '';
  if (version !== '' && !versionPattern.test(version)) refuse(invalidVersion(version));
  const key = keyOf(kind, scope.namespace, name);
  let object: UntypedObject | undefined;
  if (version === '' || server.options.watchCache === false) {
    object = yield* readObject(server, key);
    if (version !== '' && version !== '0') yield* checkNotFuture(scope, Number(version));
  } else {
    const cache = server.cacheOf(kind);
    const late = yield* cache.untilFresh(Number(version));
    if (late !== undefined) refuse(late);
    object = cache.get(key);
  }
  if (object === undefined) refuse(notFound(kind, name));
  return { code: 200, object: inVersion(object, kind.apiVersion) };
}

function* checkNotFuture(scope: RequestScope, version: number): Task<void> {
  const current = yield* scope.server.storage.currentRevision();
  if (typeof current !== 'number') refuse(storageStatus(current));
  if (version > current) refuse(tooLargeResourceVersion(version, current));
}

/** Parses and checks the selectors of a list or watch. */
export function selectionFor(kind: ServedKind, options: RequestOptions, name?: string): Selection {
  const labels = parseLabelSelector(options.labelSelector ?? '');
  if (isSelectorError(labels)) refuse(badRequest(labels.error));
  const fields = parseFieldSelector(options.fieldSelector ?? '');
  if (isSelectorError(fields)) refuse(badRequest(fields.error));
  for (const { field } of fields) checkFieldName(kind, field);
  const byName = name === undefined || name === '' ? fields : [...fields, { field: 'metadata.name', operator: '=' as const, value: name }];
  return selectionOf(labels, byName);
}

/** Kinds with field labels of their own refuse unknown ones in their own words; all others in the generic ones. */
function checkFieldName(kind: ServedKind, field: string): void {
  if (field === 'metadata.name' || field === 'metadata.namespace' || kind.fieldNames?.includes(field)) return;
  if (kind.kind === 'Job') refuse(badRequest(`field label ${JSON.stringify(field)} not supported for Job`));
  if (kind.fieldNames === undefined || kind.fieldNames.length === 0) {
    refuse(badRequest(`${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`));
  }
  refuse(badRequest(`field label not supported: ${field}`));
}

type Item = readonly [string, UntypedObject];

export interface Page {
  readonly items: readonly UntypedObject[];
  readonly revision: number;
  readonly lastKey: string | undefined;
  /** Objects left behind the page; undefined where it cannot be told. */
  readonly remaining: number | undefined;
}

/** LIST: upstream `cacher.GetList` and `etcd3.store.GetList`. */
export function* list(scope: RequestScope): Task<ApiResponse> {
  const { kind, options } = scope;
  checkListOptions(options, false);
  const selection = selectionFor(kind, options, scope.request.name);
  const page = yield* readPage(scope, kind, selection);
  return { code: 200, object: listObject(kind, page, scope.namespace) };
}

/** All objects that a list request is about, with the version of the list. */
export function* readPage(scope: RequestScope, kind: ServedKind, selection: Selection): Task<Page> {
  const { options, server } = scope;
  const version = options.resourceVersion ?? '';
  if (version !== '' && !versionPattern.test(version))
    refuse(badRequest(`invalid resource version: ${invalidVersion(version).message ?? ''}`));
  const limit = options.limit !== undefined && options.limit > 0 ? options.limit : 0;
  const prefix = listPrefix(kind, scope.namespace);
  const token = continueOf(options, prefix);
  const exact =
    token !== undefined
      ? token.revision
      : options.resourceVersionMatch === 'Exact' ||
          (version !== '' && version !== '0' && limit > 0 && options.resourceVersionMatch === undefined)
        ? Number(version)
        : 0;
  if (server.options.watchCache !== false && (token === undefined || token.revision > 0)) {
    const cached = yield* pageFromCache(scope, kind, selection, { version, exact, limit: version === '0' ? 0 : limit, token });
    if (cached !== undefined) return cached;
  }
  return yield* pageFromStorage(scope, kind, selection, { version, exact, limit, token, prefix });
}

function listPrefix(kind: ServedKind, namespace: string): string {
  return namespace === '' ? prefixOf(kind) : `${prefixOf(kind)}${namespace}/`;
}

function continueOf(options: RequestOptions, prefix: string): ContinueToken | undefined {
  if (options.continue === undefined || options.continue === '') return undefined;
  if ((options.resourceVersion ?? '') !== '' && options.resourceVersion !== '0')
    refuse(badRequest('specifying resource version is not allowed when using continue'));
  const token = decodeContinue(options.continue, prefix);
  if (typeof token === 'string') refuse(badRequest(`invalid continue token: ${token}`));
  return token;
}

interface PageRequest {
  readonly version: string;
  readonly exact: number;
  readonly limit: number;
  readonly token: ContinueToken | undefined;
}

function* pageFromCache(scope: RequestScope, kind: ServedKind, selection: Selection, request: PageRequest): Task<Page | undefined> {
  const cache = scope.server.cacheOf(kind);
  yield* cache.untilReady();
  let late: Status | undefined;
  if (request.exact > 0) late = yield* cache.untilFresh(request.exact);
  else if (request.version === '') late = yield* cache.untilConsistent();
  else late = yield* cache.untilFresh(Number(request.version));
  if (late !== undefined) refuse(late);
  const namespace = scope.namespace === '' ? undefined : scope.namespace;
  if (request.exact > 0) {
    if (request.exact < cache.oldestRevision()) return undefined;
    return pageOf(kind, selection, cache.itemsAt(namespace, request.exact), request, request.exact);
  }
  const isWhole = selection === everything && request.limit === 0 && request.token === undefined;
  // Nothing to choose and nothing to convert: the lists of one state are one list.
  if (isWhole && scope.server.registry.storageKind(kind) === kind && !isConverted(kind))
    return { items: cache.list(namespace), revision: cache.revision, lastKey: undefined, remaining: undefined };
  return pageOf(kind, selection, cache.items(namespace), request, cache.revision);
}

function pageOf(kind: ServedKind, selection: Selection, from: Iterable<Item>, request: PageRequest, revision: number): Page {
  const items: UntypedObject[] = [];
  let lastKey: string | undefined;
  let remaining = 0;
  const start = request.token?.startKey;
  for (const [key, stored] of from) {
    if (start !== undefined && key < start) continue;
    const object = inVersion(stored, kind.apiVersion);
    if (request.limit > 0 && items.length >= request.limit) {
      if (selects(selection, kind, object)) remaining++;
      continue;
    }
    if (!selects(selection, kind, object)) continue;
    items.push(object);
    lastKey = key;
  }
  const tellsRemaining = selection.labels.length === 0 && selection.fields.length === 0;
  return {
    items,
    revision,
    lastKey: remaining > 0 ? lastKey : undefined,
    remaining: remaining > 0 && tellsRemaining ? remaining : undefined,
  };
}

function* pageFromStorage(
  scope: RequestScope,
  kind: ServedKind,
  selection: Selection,
  request: PageRequest & { readonly prefix: string },
): Task<Page> {
  const { token, exact, limit, prefix, version } = request;
  const answer = yield* scope.server.storage.list(prefix, {
    ...(exact > 0 ? { revision: exact } : {}),
    ...(token !== undefined ? { fromKey: token.startKey } : {}),
  });
  if (isStorageFailure(answer)) {
    if (answer.failure === 'compacted')
      refuse(
        token === undefined ? expired('The resourceVersion for the provided list is too old.') : yield* expiredToken(scope, token, prefix),
      );
    if (answer.failure === 'future-revision') refuse(tooLargeResourceVersion(exact, answer.currentRevision));
    refuse(storageStatus(answer));
  }
  if (version !== '' && Number(version) > answer.revision) refuse(tooLargeResourceVersion(version, answer.revision));
  const items: readonly Item[] = answer.entries.map((entry: StorageEntry) => [entry.key, entry.value.at(entry.modRevision)] as const);
  return pageOf(kind, selection, items, { ...request, limit }, exact > 0 ? exact : answer.revision);
}

const expiredTokenText =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';

/** 410 with a new token: upstream handleCompactedErrorForPaging. */
// biome-ignore lint/correctness/useYield: a task that answers at once
function* expiredToken(_scope: RequestScope, token: ContinueToken, prefix: string): Task<Status> {
  const next = encodeContinue({ startKey: token.startKey, revision: -1 }, prefix);
  return { ...expired(expiredTokenText), metadata: { continue: next } as unknown as Record<string, never> };
}

export function listObject(kind: ServedKind, page: Page, namespace: string): ApiList {
  const prefix = listPrefix(kind, namespace);
  const next = page.lastKey === undefined ? undefined : encodeContinue({ startKey: `${page.lastKey}\0`, revision: page.revision }, prefix);
  return {
    kind: `${kind.kind}List`,
    apiVersion: kind.apiVersion,
    metadata: {
      resourceVersion: String(page.revision),
      ...(next === undefined ? {} : { continue: next }),
      ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
    },
    items: page.items,
  };
}
