import type { Task } from '../../sim/task.ts';
import type { UntypedObject } from '../api/object.ts';
import type { ServedKind } from '../api/registry.ts';
import type { AdmissionOperation, AdmissionRequest, RequestScope } from './server-context.ts';

export interface AdmissionSubject {
  readonly operation: AdmissionOperation;
  readonly kind: ServedKind;
  readonly name: string;
  readonly object: UntypedObject | undefined;
  readonly oldObject: UntypedObject | undefined;
}

function requestOf(scope: RequestScope, subject: AdmissionSubject): AdmissionRequest {
  return {
    operation: subject.operation,
    kind: subject.kind,
    subresource: scope.request.subresource ?? '',
    namespace: scope.namespace,
    name: subject.name,
    user: scope.request.user,
    options: scope.options,
    dryRun: scope.dryRun,
    object: subject.object,
    oldObject: subject.oldObject,
    warn: (text) => {
      if (!scope.warnings.includes(text)) scope.warnings.push(text);
    },
  };
}

/** The mutating half of the chain, plugin by plugin in the configured order. */
export function* admit(scope: RequestScope, subject: AdmissionSubject): Task<UntypedObject | undefined> {
  let object = subject.object;
  for (const plugin of scope.server.admission) {
    if (plugin.admit === undefined) continue;
    const request = requestOf(scope, { ...subject, object });
    if (!plugin.handles(request)) continue;
    object = yield* plugin.admit(request, scope.server);
  }
  return object;
}

/** The validating half. */
export function* validateAdmission(scope: RequestScope, subject: AdmissionSubject): Task<void> {
  const request = requestOf(scope, subject);
  for (const plugin of scope.server.admission) {
    if (plugin.validate !== undefined && plugin.handles(request)) yield* plugin.validate(request, scope.server);
  }
}
