import type { Task } from '../../sim/task.ts';
import type { ApiResponse } from '../api/request.ts';
import { methodNotAllowed } from '../api/status.ts';
import { refuse } from './refusal.ts';
import type { RequestScope } from './server-context.ts';

type Handler = (scope: RequestScope) => Task<ApiResponse>;

/** Subresources other than status, by name. */
const handlers: Readonly<Record<string, Handler>> = {};

export function* subresourceCall(scope: RequestScope): Task<ApiResponse> {
  const handler = handlers[scope.request.subresource ?? ''];
  if (handler === undefined) refuse(methodNotAllowed());
  return yield* handler(scope);
}
