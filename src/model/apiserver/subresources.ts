import type { Task } from '../../sim/task.ts';
import { validateApproval } from '../api/kinds/certificates/certificate-signing-request.ts';
import type { UntypedObject } from '../api/object.ts';
import type { ApiResponse } from '../api/request.ts';
import type { CertificateSigningRequest, Namespace, Pod } from '../api/types.ts';
import { checkEphemeralContainers } from '../api/validation/containers.ts';
import { methodNotAllowed } from '../api/status.ts';
import { patch } from './patch.ts';
import { get } from './read.ts';
import { refuse } from './refusal.ts';
import type { RequestScope } from './server-context.ts';
import { binding } from './subresource/binding.ts';
import { log, proxy, stream } from './subresource/connect.ts';
import { eviction } from './subresource/eviction.ts';
import { ephemeralContainerRules, resizeRules } from './subresource/pod-parts.ts';
import { scale } from './subresource/scale.ts';
import { token } from './subresource/token.ts';
import { type UpdateRules, update } from './update.ts';

type Handler = (scope: RequestScope) => Task<ApiResponse>;

/** Subresources that show the object itself and change a part of it by rules of their own. */
function partOf(rules: (scope: RequestScope) => UpdateRules): Handler {
  return function* (scope) {
    switch (scope.request.verb) {
      case 'get':
        return yield* get(scope);
      case 'update':
        return yield* update(scope, rules(scope));
      case 'patch':
        return yield* patch(scope, rules(scope));
      default:
        return refuse(methodNotAllowed());
    }
  };
}

/** namespaces/finalize: spec.finalizers alone. */
const finalizeRules = (): UpdateRules => ({
  bumpsGeneration: false,
  prepare: (next, previous) => {
    const finalizers = (next as unknown as Namespace).spec?.finalizers ?? [];
    const spec = finalizers.length > 0 ? { finalizers } : {};
    return { ...previous, metadata: next.metadata, spec } as unknown as UntypedObject;
  },
  validate: () => [],
});

/** certificatesigningrequests/approval: the conditions alone. */
const approvalRules = (): UpdateRules => ({
  bumpsGeneration: false,
  prepare: (next, previous) => {
    const status = { ...(previous['status'] as object | undefined) };
    const conditions = (next['status'] as { readonly conditions?: unknown } | undefined)?.conditions;
    return {
      ...previous,
      metadata: next.metadata,
      status: { ...status, ...(conditions === undefined ? {} : { conditions }) },
    } as UntypedObject;
  },
  validate: (next, previous) =>
    validateApproval(next as unknown as CertificateSigningRequest, previous as unknown as CertificateSigningRequest),
});

const ephemeral = ephemeralContainerRules((pod: Pod, out) =>
  checkEphemeralContainers({ spec: pod.spec } as never, 'spec.ephemeralContainers', out),
);

/** Subresources other than status, by name. */
const handlers: Readonly<Record<string, Handler>> = {
  scale,
  binding,
  eviction,
  token,
  ephemeralcontainers: partOf(() => ephemeral),
  resize: partOf(resizeRules),
  approval: partOf(approvalRules),
  log,
  exec: stream,
  attach: stream,
  portforward: stream,
  proxy,
  finalize: function* (scope) {
    if (scope.request.verb !== 'update') refuse(methodNotAllowed());
    return yield* update(scope, finalizeRules());
  },
};

export function* subresourceCall(scope: RequestScope): Task<ApiResponse> {
  const handler = handlers[scope.request.subresource ?? ''];
  if (handler === undefined) refuse(methodNotAllowed());
  return yield* handler(scope);
}
