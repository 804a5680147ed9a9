import type { Task } from '../../sim/task.ts';
import type { UntypedObject } from '../api/object.ts';
import type { ApiResponse } from '../api/request.ts';
import { deleteObject } from './delete.ts';
import { listObject, readPage, selectionFor } from './read.ts';
import { Refusal } from './refusal.ts';
import { checkDeleteOptions, checkListOptions } from './request-options.ts';
import type { RequestScope } from './server-context.ts';

/** DELETE of a collection: every object that the selectors find, one by one. The answer is the list of what was found. */
export function* removeCollection(scope: RequestScope): Task<ApiResponse> {
  const { kind, options } = scope;
  checkDeleteOptions(options);
  checkListOptions(options, false);
  const page = yield* readPage(scope, kind, selectionFor(kind, options));
  const items: UntypedObject[] = [];
  for (const object of page.items) {
    const inNamespace: RequestScope = { ...scope, namespace: object.metadata.namespace ?? '' };
    try {
      yield* deleteObject(inNamespace, kind, object.metadata.name ?? '', options);
      items.push(object);
    } catch (refusal) {
      if (!(refusal instanceof Refusal) || refusal.status.reason !== 'NotFound') throw refusal;
    }
  }
  return { code: 200, object: listObject(kind, { ...page, items }, scope.namespace) };
}
