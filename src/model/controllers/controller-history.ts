import { selectorOf } from '../api/label-selector.ts';
import type { ApiObject, Json } from '../api/object.ts';
import type { ControllerRevision, LabelSelector, PodTemplateSpec } from '../api/types.ts';
import type { Informer } from '../client/informer.ts';
import { CONTROLLER_REVISIONS, type Resource } from '../client/resources.ts';
import { type ApiFailure, type ApiResult, isAlreadyExists, isConflict, isNotFound } from '../client/result.ts';
import type { Client } from '../client/typed-client.ts';
import type { Task } from '../../sim/task.ts';
import { type Claimed, claim } from './claim.ts';
import { newControllerRef } from './owner-reference.ts';
import { canonicalJson, fnv1a, safeEncode } from './pod-template-hash.ts';
import { semanticEqual } from './semantic-equal.ts';

const byNamespace = 'namespace';

export function indexRevisions(revisions: Informer<ControllerRevision>): void {
  revisions.addIndex(byNamespace, (revision) => [revision.metadata.namespace ?? '']);
}

/** Oldest first: upstream history.SortControllerRevisions. */
export function byRevision(a: ControllerRevision, b: ControllerRevision): number {
  if (a.revision !== b.revision) return a.revision - b.revision;
  const createdA = a.metadata.creationTimestamp ?? '';
  const createdB = b.metadata.creationTimestamp ?? '';
  if (createdA !== createdB) return createdA < createdB ? -1 : 1;
  const nameA = a.metadata.name ?? '';
  const nameB = b.metadata.name ?? '';
  return nameA < nameB ? -1 : nameA > nameB ? 1 : 0;
}

/** What a revision remembers of its owner: a patch that puts the pod template back. */
export function templatePatch(template: PodTemplateSpec): Json {
  return { spec: { template: { ...(template as unknown as { readonly [key: string]: Json }), $patch: 'replace' } } };
}

/** The pod template that a revision remembers. */
export function templateOf(revision: ControllerRevision): PodTemplateSpec | undefined {
  const data = revision.data as unknown as
    | { readonly spec?: { readonly template?: PodTemplateSpec & { readonly $patch?: string } } }
    | undefined;
  const template = data?.spec?.template;
  if (template === undefined) return undefined;
  const { $patch: _, ...rest } = template;
  return rest;
}

/** The hash in a revision's name; a collision count changes it. Upstream history.HashControllerRevision. */
export function revisionHash(data: Json, collisionCount: number): string {
  return safeEncode(String(fnv1a(`${canonicalJson(data)}${collisionCount === 0 ? '' : collisionCount}`)));
}

/** Who keeps a history of templates. */
export interface HistoryOwner<C extends ApiObject> {
  readonly owner: C;
  readonly apiVersion: string;
  readonly kind: string;
  readonly resource: Resource<C>;
  readonly selector: LabelSelector;
}

/** The owner's revisions, orphans that match adopted. */
export function* claimRevisions<C extends ApiObject>(
  client: Client,
  revisions: Informer<ControllerRevision>,
  of: HistoryOwner<C>,
): Task<Claimed<ControllerRevision>> {
  return yield* claim(revisions.byIndex(byNamespace, of.owner.metadata.namespace ?? ''), client.resource(CONTROLLER_REVISIONS), {
    controller: of.owner,
    apiVersion: of.apiVersion,
    kind: of.kind,
    selector: selectorOf(of.selector),
    fresh: client.resource(of.resource),
  });
}

export function draftRevision<C extends ApiObject>(
  of: HistoryOwner<C>,
  data: Json,
  hash: string,
  revision: number,
  labels: { readonly [key: string]: string },
  annotations: { readonly [key: string]: string } | undefined,
): ControllerRevision {
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${of.owner.metadata.name ?? ''}-${hash}`,
      namespace: of.owner.metadata.namespace ?? '',
      labels,
      ...(annotations !== undefined && Object.keys(annotations).length > 0 ? { annotations } : {}),
      ownerReferences: [newControllerRef(of.owner, of.apiVersion, of.kind)],
    },
    data,
    revision,
  };
}

export function sameRevision(a: ControllerRevision, b: ControllerRevision): boolean {
  return semanticEqual(a.data, b.data);
}

/** Creates the revision; another one of that name asks for another hash ('collision'). */
export function* createRevision(client: Client, draft: ControllerRevision): Task<ControllerRevision | ApiFailure | 'collision'> {
  const created = yield* client.resource(CONTROLLER_REVISIONS).create(draft);
  if (created.ok) return created.object;
  if (!isAlreadyExists(created)) return created;
  const existing = yield* client.resource(CONTROLLER_REVISIONS).get(draft.metadata.namespace ?? '', draft.metadata.name ?? '');
  if (!existing.ok) return existing;
  return sameRevision(existing.object, draft) ? existing.object : 'collision';
}

/** Moves an old revision to the top of the history: a rollback. */
export function* renumberRevision(client: Client, revision: ControllerRevision, number: number): Task<ApiResult<ControllerRevision>> {
  const revisions = client.resource(CONTROLLER_REVISIONS);
  const updated = yield* revisions.update({ ...revision, revision: number });
  if (updated.ok || !isConflict(updated)) return updated;
  const fresh = yield* revisions.get(revision.metadata.namespace ?? '', revision.metadata.name ?? '');
  return fresh.ok ? yield* revisions.update({ ...fresh.object, revision: number }) : fresh;
}

/** Deletes the oldest revisions that nothing uses, beyond the limit. */
export function* truncateHistory(
  client: Client,
  revisions: readonly ControllerRevision[],
  isLive: (revision: ControllerRevision) => boolean,
  limit: number,
): Task<ApiFailure | undefined> {
  const unused = [...revisions].sort(byRevision).filter((revision) => !isLive(revision));
  for (const revision of unused.slice(0, Math.max(0, unused.length - limit))) {
    const deleted = yield* client.resource(CONTROLLER_REVISIONS).delete(revision.metadata.namespace ?? '', revision.metadata.name ?? '');
    if (!deleted.ok && !isNotFound(deleted)) return deleted;
  }
  return undefined;
}
