import { type Task, suspend } from '../../../sim/task.ts';
import { decode } from '../../api/decode.ts';
import { equalJson } from '../../api/equal.ts';
import { webhookConditions } from '../../api/kinds/admissionregistration/webhooks.ts';
import { inVersion } from '../../api/kinds/conversion.ts';
import type { Json, Status, UntypedObject } from '../../api/object.ts';
import { applyJsonPatch, JsonPatchFailure, type JsonPatchOperation } from '../../api/patch/json-patch.ts';
import type { ServedKind } from '../../api/registry.ts';
import { badRequest, failure } from '../../api/status.ts';
import type { MutatingWebhookConfiguration, ValidatingWebhookConfiguration } from '../../api/types.ts';
import { Refusal, refuse } from '../refusal.ts';
import type { AdmissionPlugin, AdmissionRequest, Reinvocation, ServerContext } from '../server-context.ts';
import type { WatchCache } from '../watch-cache.ts';
import { conditionsHold, ExpressionValues } from './expression-values.ts';
import { cachedAll, cachedOne, cacheFinder, kindNamed } from './lookup.ts';
import { isExempt, matchedKind } from './rule-matching.ts';
import { type AdmissionResponse, callWebhook, type Webhook } from './webhook-call.ts';

type Configuration = ValidatingWebhookConfiguration | MutatingWebhookConfiguration;

/** A webhook of a configuration; the id tells those of equal names apart. */
interface Hook {
  readonly id: string;
  readonly webhook: Webhook;
}

const validatingConfigurations = cacheFinder('admissionregistration.k8s.io', 'v1', 'validatingwebhookconfigurations');
const mutatingConfigurations = cacheFinder('admissionregistration.k8s.io', 'v1', 'mutatingwebhookconfigurations');

/** ValidatingAdmissionWebhook: all webhooks that match are asked at once; the first that says no is told. */
export const validatingAdmissionWebhook: AdmissionPlugin = {
  name: 'ValidatingAdmissionWebhook',
  handles: (request, server) => !validatingConfigurations(server).isEmpty && !isExempt(request),
  *validate(request, server) {
    const hooks = yield* hooksOf(server, validatingConfigurations(server));
    const called: { readonly hook: Hook; readonly kind: ServedKind }[] = [];
    for (const hook of hooks) {
      const kind = yield* shouldCall(hook.webhook, request, server);
      if (kind !== undefined) called.push({ hook, kind });
    }
    if (called.length === 0) return;
    const tasks = called.map(({ hook, kind }) => askValidating(hook.webhook, request, server, kind));
    const first = yield* firstRefusal(server, tasks);
    if (first !== undefined) refuse(first);
  },
};

/**
 * MutatingAdmissionWebhook: one after another, each sees what those before it made; again for those that ask for it when something changed.
 * A delete is shown to them with the object that goes, which is known only when it is validated.
 */
export const mutatingAdmissionWebhook: AdmissionPlugin = {
  name: 'MutatingAdmissionWebhook',
  handles: (request, server) => !mutatingConfigurations(server).isEmpty && !isExempt(request),
  *validate(request, server) {
    if (request.operation !== 'DELETE') return;
    for (const { webhook } of yield* hooksOf(server, mutatingConfigurations(server))) {
      const kind = yield* shouldCall(webhook, request, server);
      if (kind !== undefined) yield* askMutating(webhook, request, server, kind);
    }
  },
  *admit(request, server) {
    if (request.operation === 'DELETE') return request.object;
    const hooks = yield* hooksOf(server, mutatingConfigurations(server));
    const { reinvocation } = request;
    if (reinvocation.isSecond && !equalJson(reinvocation.output, request.object)) recall(reinvocation);
    let { object } = request;
    for (const { id, webhook } of hooks) {
      if (reinvocation.isSecond && !reinvocation.again.includes(id)) continue;
      const current: AdmissionRequest = { ...request, object };
      const kind = yield* shouldCall(webhook, current, server);
      if (kind === undefined) continue;
      const next = yield* askMutating(webhook, current, server, kind);
      if (next !== undefined && !equalJson(next, object)) {
        object = next;
        recall(reinvocation);
        reinvocation.isWanted = true;
      }
      if ((webhook as { readonly reinvocationPolicy?: string }).reinvocationPolicy === 'IfNeeded')
        reinvocation.called = [...reinvocation.called, id];
    }
    reinvocation.output = object;
    return object;
  },
};

/** The webhooks that were called and may be called again are to be. */
function recall(reinvocation: Reinvocation): void {
  reinvocation.again = [...reinvocation.again, ...reinvocation.called];
  reinvocation.called = [];
}

/** All webhooks of one sort: configurations by name, webhooks in their order. */
function* hooksOf(server: ServerContext, cache: WatchCache): Task<readonly Hook[]> {
  const configurations = (yield* cachedAll(server, cache.kind, undefined)) as unknown as readonly Configuration[];
  return configurations.flatMap(({ metadata, webhooks = [] }) =>
    webhooks.map((webhook, i) => ({ id: `${metadata.name}/${webhook.name}/${i}`, webhook })),
  );
}

/** The resource in whose version a webhook wants the request; undefined when it is not for it. */
function* shouldCall(webhook: Webhook, request: AdmissionRequest, server: ServerContext): Task<ServedKind | undefined> {
  const { namespaceSelector, objectSelector, matchPolicy, rules = [], matchConditions = [] } = webhook;
  const kind = yield* matchedKind(request, server, {
    rules,
    excluded: [],
    ...(namespaceSelector === undefined ? {} : { namespaceSelector }),
    ...(objectSelector === undefined ? {} : { objectSelector }),
    ...(matchPolicy === undefined ? {} : { matchPolicy }),
  });
  if (kind === undefined || matchConditions.length === 0) return kind;
  const namespace =
    request.namespace === '' ? undefined : yield* cachedOne(server, kindNamed(server, '', 'v1', 'namespaces'), '', request.namespace);
  const values = new ExpressionValues({ request, server, kind, params: null, namespaceObject: namespace ?? null });
  const result = yield* conditionsHold(webhookConditions(matchConditions), values, webhook.failurePolicy);
  if ('error' in result) refuse(internal(`failed to evaluate match conditions: ${result.error}`));
  return result.matches ? kind : undefined;
}

/** 500 in the words of upstream apierrors.NewInternalError. */
function internal(message: string): Status {
  return failure(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
}

/** A webhook with effects of its own is not asked about what will not happen. */
function refusesDryRun({ sideEffects, name }: Webhook, { dryRun }: AdmissionRequest): Status | undefined {
  return !dryRun || sideEffects === 'None' || sideEffects === 'NoneOnDryRun'
    ? undefined
    : badRequest(`admission webhook ${JSON.stringify(name)} does not support dry run`);
}

/** A failed call's refusal; undefined where the webhook's failures are ignored. */
function callFailure({ name, failurePolicy }: Webhook, why: string): Status | undefined {
  return failurePolicy === 'Ignore' ? undefined : internal(`failed calling webhook ${JSON.stringify(name)}: ${why}`);
}

function* askValidating(webhook: Webhook, request: AdmissionRequest, server: ServerContext, kind: ServedKind): Task<Status | undefined> {
  const unsupported = refusesDryRun(webhook, request);
  if (unsupported !== undefined) return unsupported;
  const result = yield* callWebhook(webhook, request, server, kind);
  if ('failure' in result) return callFailure(webhook, result.failure);
  return result.response.allowed === true ? undefined : rejection(webhook.name, result.response);
}

/** The object as the webhook wants it; undefined where its failure is ignored. */
function* askMutating(
  webhook: Webhook,
  request: AdmissionRequest,
  server: ServerContext,
  kind: ServedKind,
): Task<UntypedObject | undefined> {
  const unsupported = refusesDryRun(webhook, request);
  if (unsupported !== undefined) refuse(unsupported);
  const result = yield* callWebhook(webhook, request, server, kind);
  if ('failure' in result) {
    const refused = callFailure(webhook, result.failure);
    return refused === undefined ? undefined : refuse(refused);
  }
  const { response } = result;
  if (response.allowed !== true) refuse(rejection(webhook.name, response));
  if (response.patch === undefined || request.object === undefined) return request.object;
  return patched(request.object, response.patch, server, kind);
}

/** A patched object, decoded and defaulted anew as if it had been sent. */
function patched(object: UntypedObject, patch: unknown, server: ServerContext, kind: ServedKind): UntypedObject {
  const shown = kind.custom === undefined ? inVersion(object, kind.apiVersion) : object;
  let document: UntypedObject;
  try {
    document = applyJsonPatch(shown as unknown as Json, patch as readonly JsonPatchOperation[]) as unknown as UntypedObject;
  } catch (error) {
    if (!(error instanceof JsonPatchFailure)) throw error;
    return refuse(internal('the patch does not apply'));
  }
  // Subresources have objects of kinds of their own.
  const own = document.kind === kind.kind ? kind : server.registry.kindOf(document);
  if (own?.type === undefined) return own?.custom === undefined ? document : own.custom.prune(document).object;
  const decoded = decode(own.type, document, shown);
  if (decoded.error !== undefined) return refuse(internal(decoded.error));
  const filled = own.setDefaults === undefined ? decoded.object : own.setDefaults(decoded.object, server.kindContext());
  return object.apiVersion === filled.apiVersion ? (filled as UntypedObject) : inVersion(filled as UntypedObject, object.apiVersion);
}

/** What a webhook's no becomes: upstream webhookerrors.ToStatusErr. */
function rejection(name: string, { status }: AdmissionResponse): Status {
  const denied = `admission webhook ${JSON.stringify(name)} denied the request`;
  const why = status?.message || status?.reason;
  const code = status?.code === undefined || status.code < 400 ? 400 : status.code;
  return failure(code, status?.reason, why === undefined ? `${denied} without explanation` : `${denied}: ${why}`);
}

/** Runs all at once and waits for all; answers the refusal that came first. */
function* firstRefusal(server: ServerContext, tasks: readonly Task<Status | undefined>[]): Task<Status | undefined> {
  if (tasks.length === 1) return yield* tasks[0] as Task<Status | undefined>;
  const refusals: Status[] = [];
  let left = tasks.length;
  yield* suspend<undefined>((resolve) => {
    for (const task of tasks) {
      server.environment.spawn(
        (function* (): Task<void> {
          try {
            const refused = yield* task;
            if (refused !== undefined) refusals.push(refused);
          } catch (error) {
            if (!(error instanceof Refusal)) throw error;
            refusals.push(error.status);
          }
          left--;
          if (left === 0) resolve(undefined);
        })(),
      );
    }
  });
  return refusals[0];
}
