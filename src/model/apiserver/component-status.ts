import type { ApiList, UntypedObject } from '../api/object.ts';
import type { ApiResponse } from '../api/request.ts';
import { methodNotAllowed, notFound } from '../api/status.ts';
import { selectionFor } from './read.ts';
import { refuse } from './refusal.ts';
import { selects } from './selection.ts';
import type { RequestScope } from './server-context.ts';

/** How a control plane component answered the server's health probe. */
export interface ComponentHealth {
  readonly name: string;
  readonly isHealthy: boolean;
  readonly message: string;
}

const refusedPort = (name: string, port: number): ComponentHealth => ({
  name,
  isHealthy: false,
  message: `Get "https://127.0.0.1:${port}/healthz": dial tcp 127.0.0.1:${port}: connect: connection refused`,
});

/** A server that runs without the other components beside it. */
const alone: readonly ComponentHealth[] = [
  refusedPort('scheduler', 10259),
  refusedPort('controller-manager', 10257),
  { name: 'etcd-0', isHealthy: true, message: 'ok' },
];

/** ComponentStatus: probed when asked, never stored, and never written. Upstream: pkg/registry/core/componentstatus. */
export function componentStatuses(scope: RequestScope): ApiResponse {
  const { request, kind, server, options } = scope;
  if (request.verb !== 'get' && request.verb !== 'list') refuse(methodNotAllowed());
  const items = (server.options.componentHealth?.() ?? alone).map(statusOf);
  if (request.verb === 'get') {
    const found = items.find(({ metadata }) => metadata.name === request.name);
    if (found === undefined) refuse(notFound(kind, request.name ?? ''));
    return { code: 200, object: found };
  }
  const selection = selectionFor(kind, options);
  const list: ApiList = {
    kind: 'ComponentStatusList',
    apiVersion: 'v1',
    metadata: {},
    items: items.filter((item) => selects(selection, kind, item)),
  } as unknown as ApiList;
  return { code: 200, object: list };
}

function statusOf({ name, isHealthy, message }: ComponentHealth): UntypedObject {
  return {
    kind: 'ComponentStatus',
    apiVersion: 'v1',
    metadata: { name },
    conditions: [{ type: 'Healthy', status: isHealthy ? 'True' : 'False', message }],
  } as unknown as UntypedObject;
}
