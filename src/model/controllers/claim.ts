import type { ParsedLabelSelector } from '../api/label-selector.ts';
import { labelsMatch } from '../api/label-selector.ts';
import type { ApiObject } from '../api/object.ts';
import type { ResourceClient } from '../client/typed-client.ts';
import { type ApiFailure, isInvalid, isNotFound } from '../client/result.ts';
import type { Task } from '../../sim/task.ts';
import { controllerOf, newControllerRef } from './owner-reference.ts';

/** Who claims, and how it makes sure that it is still the one it thinks it is. */
export interface Claimer<C extends ApiObject> {
  readonly controller: C;
  readonly apiVersion: string;
  readonly kind: string;
  readonly selector: ParsedLabelSelector;
  /** Reads the controller afresh before the first adoption: a stale copy may have been deleted and created again. */
  readonly fresh: ResourceClient<C>;
}

export type Claimed<T> = { readonly ok: true; readonly objects: readonly T[] } | ApiFailure;

function failureOf(message: string): ApiFailure {
  return { ok: false, reason: 'CannotAdopt', code: 0, message, sent: true };
}

/**
 * Takes care of objects by label: keeps those of the controller that match, releases those that do not match any more, adopts matching
 * orphans. Upstream controller_ref_manager.go, ClaimPods and ClaimReplicaSets.
 */
export function* claim<T extends ApiObject, C extends ApiObject>(
  objects: readonly T[],
  client: ResourceClient<T>,
  claimer: Claimer<C>,
  filter: (object: T) => boolean = () => true,
): Task<Claimed<T>> {
  const { controller } = claimer;
  const uid = controller.metadata.uid ?? '';
  const deleting = controller.metadata.deletionTimestamp !== undefined;
  const claimed: T[] = [];
  let error: ApiFailure | undefined;
  let mayAdopt: ApiFailure | 'yes' | undefined;
  for (const object of objects) {
    const owner = controllerOf(object);
    const matches = labelsMatch(claimer.selector, object.metadata.labels) && filter(object);
    if (owner !== undefined) {
      if (owner.uid !== uid) continue;
      if (matches) claimed.push(object);
      else if (!deleting) error = (yield* release(object, client, uid)) ?? error;
      continue;
    }
    if (deleting || !matches || object.metadata.deletionTimestamp !== undefined) continue;
    mayAdopt ??= yield* canAdopt(claimer);
    if (mayAdopt !== 'yes') {
      error = mayAdopt;
      continue;
    }
    const adopted = yield* adopt(object, client, claimer);
    if (adopted === 'adopted') claimed.push(object);
    else if (adopted !== 'gone') error = adopted;
  }
  return error ?? { ok: true, objects: claimed };
}

function* canAdopt<C extends ApiObject>(claimer: Claimer<C>): Task<ApiFailure | 'yes'> {
  const { metadata } = claimer.controller;
  const fresh = yield* claimer.fresh.get(metadata.namespace ?? '', metadata.name ?? '');
  if (!fresh.ok) return fresh;
  if (fresh.object.metadata.uid !== metadata.uid) {
    return failureOf(
      `original ${claimer.kind} ${metadata.namespace}/${metadata.name} is gone: got uid ${fresh.object.metadata.uid}, wanted ${metadata.uid}`,
    );
  }
  if (fresh.object.metadata.deletionTimestamp !== undefined) {
    return failureOf(`${metadata.namespace}/${metadata.name} has just been deleted at ${fresh.object.metadata.deletionTimestamp}`);
  }
  return 'yes';
}

function* adopt<T extends ApiObject, C extends ApiObject>(
  object: T,
  client: ResourceClient<T>,
  claimer: Claimer<C>,
): Task<ApiFailure | 'adopted' | 'gone'> {
  const reference = newControllerRef(claimer.controller, claimer.apiVersion, claimer.kind);
  const patch = { metadata: { ownerReferences: [{ ...reference }], uid: object.metadata.uid ?? '' } };
  const answer = yield* client.patch(object.metadata.namespace ?? '', object.metadata.name ?? '', 'strategic', patch);
  if (answer.ok) return 'adopted';
  return isNotFound(answer) ? 'gone' : answer;
}

function* release<T extends ApiObject>(object: T, client: ResourceClient<T>, uid: string): Task<ApiFailure | undefined> {
  const patch = { metadata: { ownerReferences: [{ $patch: 'delete', uid }], uid: object.metadata.uid ?? '' } };
  const answer = yield* client.patch(object.metadata.namespace ?? '', object.metadata.name ?? '', 'strategic', patch);
  // Gone, or another object of that name: either way nothing is left to release.
  return answer.ok || isNotFound(answer) || isInvalid(answer) ? undefined : answer;
}
