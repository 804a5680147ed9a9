import type { Task } from '../../sim/task.ts';
import type { UntypedObject } from '../api/object.ts';
import type { ServedKind } from '../api/registry.ts';
import type { AdmissionOperation, AdmissionPlugin, AdmissionRequest, Reinvocation, RequestScope } from './server-context.ts';

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

/** Validation has one pass. */
const noReinvocation: Reinvocation = Object.freeze(freshReinvocation());

/** The mutating half of the chain, plugin by plugin in the configured order; once more if a webhook changed what others had looked at. */
export function* admit(scope: RequestScope, subject: AdmissionSubject): Task<UntypedObject | undefined> {
  if (scope.server.admission.length === 0) return subject.object;
  const reinvocation = freshReinvocation();
  const object = yield* admitOnce(scope, subject, reinvocation);
  if (!reinvocation.isWanted) return object;
  reinvocation.isSecond = true;
  return yield* admitOnce(scope, { ...subject, object }, reinvocation);
}

/** Each plugin is asked about the object that the one before it made. */
function* admitOnce(scope: RequestScope, subject: AdmissionSubject, reinvocation: Reinvocation): Task<UntypedObject | undefined> {
  const plugins = scope.server.admission;
  let request = requestOf(scope, subject, reinvocation);
  for (let i = 0; i < plugins.length; i++) {
    const plugin = plugins[i] as AdmissionPlugin;
    if (plugin.admit === undefined || !plugin.handles(request, scope.server)) continue;
    const object = yield* plugin.admit(request, scope.server);
    if (object !== request.object) request = { ...request, object };
  }
  return request.object;
}

/** The validating half. */
export function* validateAdmission(scope: RequestScope, subject: AdmissionSubject): Task<void> {
  const plugins = scope.server.admission;
  if (plugins.length === 0) return;
  const request = requestOf(scope, subject, noReinvocation);
  for (let i = 0; i < plugins.length; i++) {
    const plugin = plugins[i] as AdmissionPlugin;
    if (plugin.validate !== undefined && plugin.handles(request, scope.server)) yield* plugin.validate(request, scope.server);
  }
}
