import type { Task } from '../../sim/task.ts';
import type { UntypedObject } from '../api/object.ts';
import type { ServedKind } from '../api/registry.ts';
import type { AdmissionOperation, AdmissionRequest, Reinvocation, RequestScope } from './server-context.ts';

export interface AdmissionSubject {
  readonly operation: AdmissionOperation;
  readonly kind: ServedKind;
  readonly name: string;
  readonly object: UntypedObject | undefined;
  readonly oldObject: UntypedObject | undefined;
}

function requestOf(scope: RequestScope, subject: AdmissionSubject, reinvocation: Reinvocation): AdmissionRequest {
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
    reinvocation,
    warn: (text) => {
      if (!scope.warnings.includes(text)) scope.warnings.push(text);
    },
  };
}

function freshReinvocation(): Reinvocation {
  return { isSecond: false, isWanted: false, called: [], again: [], output: undefined };
}

/** The mutating half of the chain, plugin by plugin in the configured order; once more if a webhook changed what others had looked at. */
export function* admit(scope: RequestScope, subject: AdmissionSubject): Task<UntypedObject | undefined> {
  const reinvocation = freshReinvocation();
  const object = yield* admitOnce(scope, subject, reinvocation);
  if (!reinvocation.isWanted) return object;
  reinvocation.isSecond = true;
  return yield* admitOnce(scope, { ...subject, object }, reinvocation);
}

function* admitOnce(scope: RequestScope, subject: AdmissionSubject, reinvocation: Reinvocation): Task<UntypedObject | undefined> {
  let object = subject.object;
  for (const plugin of scope.server.admission) {
    if (plugin.admit === undefined) continue;
    const request = requestOf(scope, { ...subject, object }, reinvocation);
    if (!plugin.handles(request)) continue;
    object = yield* plugin.admit(request, scope.server);
  }
  return object;
}

/** The validating half. */
export function* validateAdmission(scope: RequestScope, subject: AdmissionSubject): Task<void> {
  const request = requestOf(scope, subject, freshReinvocation());
  for (const plugin of scope.server.admission) {
    if (plugin.validate !== undefined && plugin.handles(request)) yield* plugin.validate(request, scope.server);
  }
}
