import type { Task } from '../../../sim/task.ts';
import { newUid } from '../../api/names.ts';
import type { EndpointSlice, MutatingWebhookConfiguration, Service, ValidatingWebhookConfiguration } from '../../api/types.ts';
import type { AdmissionRequest, ServerContext, WebhookTarget } from '../server-context.ts';
import { admissionRequestOf } from './expression-values.ts';
import { cachedAll, cachedOne, kindNamed } from './lookup.ts';
import { inMatchedVersion } from './rule-matching.ts';
import type { ServedKind } from '../../api/registry.ts';

type Validating = NonNullable<ValidatingWebhookConfiguration['webhooks']>[number];
type Mutating = NonNullable<MutatingWebhookConfiguration['webhooks']>[number];
export type Webhook = Validating | Mutating;

const secondUs = 1_000_000;
const timeoutSecondsDefault = 10;

/** The part of an AdmissionReview that a webhook answers. A patch is its operations, not their text in base64. */
export interface AdmissionResponse {
  readonly uid?: string;
  readonly allowed?: boolean;
  readonly status?: { readonly code?: number; readonly message?: string; readonly reason?: string; readonly status?: string };
  readonly patch?: unknown;
  readonly patchType?: string;
  readonly warnings?: readonly string[];
}

interface Review {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly response?: AdmissionResponse;
}

/** What came of a call; `failure` is what upstream's error says of it. */
export type CallResult = { readonly response: AdmissionResponse } | { readonly failure: string };

/** Posts a request's review to a webhook: upstream `callHook` with webhookrequest.CreateAdmissionObjects and VerifyAdmissionResponse. */
export function* callWebhook(webhook: Webhook, request: AdmissionRequest, server: ServerContext, kind: ServedKind): Task<CallResult> {
  const version = webhook.admissionReviewVersions?.find((one) => one === 'v1' || one === 'v1beta1') ?? 'v1';
  const uid = newUid(server.environment.random);
  const review = {
    kind: 'AdmissionReview',
    apiVersion: `admission.k8s.io/${version}`,
    request: {
      uid,
      ...admissionRequestOf(request, kind),
      object: inMatchedVersion(request.object, request, kind) ?? null,
      oldObject: inMatchedVersion(request.oldObject, request, kind) ?? null,
    },
  };
  const seconds = webhook.timeoutSeconds ?? timeoutSecondsDefault;
  const url = urlOf(webhook, seconds);
  const failed = (why: string): CallResult => ({ failure: `failed to call webhook: Post ${JSON.stringify(url)}: ${why}` });
  const target = yield* targetOf(webhook, server, url);
  if ('problem' in target) return failed(target.problem);
  if (server.webhooks === undefined) return failed(`dial tcp ${target.shown}: connect: connection refused`);
  const answer = yield* server.webhooks.post(target, review, seconds * secondUs);
  return 'error' in answer ? failed(answer.error) : verified(answer.body as Review | undefined, review.apiVersion, uid, request);
}

function urlOf({ clientConfig }: Webhook, seconds: number): string {
  const { url, service } = clientConfig;
  const path = service?.path ?? '';
  const base = url ?? `https://${service?.name}.${service?.namespace}.svc:${service?.port ?? 443}${path === '' ? '/' : path}`;
  return `${base}${base.includes('?') ? '&' : '?'}timeout=${seconds}s`;
}

/**
 * Where a webhook is reached. A service's address is what kube-proxy makes of it, and the rules of the API server's own node are not
 * modelled apart (a control plane need not be a node here): one of the endpoints that are ready, by chance.
 */
function* targetOf({ clientConfig }: Webhook, server: ServerContext, url: string): Task<WebhookTarget | { readonly problem: string }> {
  const { service: ref } = clientConfig;
  if (ref === undefined) {
    const [, host = '', port = '443'] = /^https:\/\/([^/:]*)(?::(\d+))?/.exec(url) ?? [];
    return { address: host, port: Number(port), shown: `${host}:${port}` };
  }
  const found = yield* cachedOne(server, kindNamed(server, '', 'v1', 'services'), ref.namespace, ref.name);
  if (found === undefined) return { problem: `service ${JSON.stringify(ref.name)} not found` };
  const { spec } = found as unknown as Service;
  const wanted = ref.port ?? 443;
  const port = spec?.ports?.find((one) => one.port === wanted);
  if (port === undefined) return { problem: `no service port ${wanted} found for service ${JSON.stringify(ref.name)}` };
  const shown = `${spec?.clusterIP ?? ''}:${wanted}`;
  const backends = yield* readyBackends(server, ref.namespace, ref.name, port.name ?? '');
  if (backends.length === 0) return { problem: `dial tcp ${shown}: connect: connection refused` };
  const chosen = backends.length === 1 ? backends[0] : backends[server.environment.random() % backends.length];
  return { ...(chosen as { readonly address: string; readonly port: number }), shown };
}

function* readyBackends(
  server: ServerContext,
  namespace: string,
  service: string,
  portName: string,
): Task<readonly { readonly address: string; readonly port: number }[]> {
  const kind = kindNamed(server, 'discovery.k8s.io', 'v1', 'endpointslices');
  const slices = (yield* cachedAll(server, kind, namespace)) as unknown as readonly EndpointSlice[];
  return slices
    .filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === service)
    .flatMap((slice) => {
      const port = (slice.ports ?? []).find((one) => (one.name ?? '') === portName)?.port;
      const ready = (slice.endpoints ?? []).filter((endpoint) => endpoint.conditions?.ready !== false);
      return port === undefined ? [] : ready.map((endpoint) => ({ address: endpoint.addresses[0] ?? '', port }));
    });
}

/** What is wrong with an answer, or its response. */
function verified(review: Review | undefined, apiVersion: string, uid: string, request: AdmissionRequest): CallResult {
  const invalid = (why: string): CallResult => ({ failure: `received invalid webhook response: ${why}` });
  if (review?.kind !== 'AdmissionReview' || review.apiVersion !== apiVersion) {
    const [group, version] = (review?.apiVersion ?? '/').split('/');
    return invalid(
      `expected webhook response of ${apiVersion}, Kind=AdmissionReview, got ${group}/${version ?? ''}, Kind=${review?.kind ?? ''}`,
    );
  }
  const { response } = review;
  if (response === undefined) return { failure: 'webhook response was absent' };
  if (response.uid !== uid) return invalid(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`);
  if (response.patch !== undefined && response.patchType !== 'JSONPatch') {
    return invalid(
      response.patchType === undefined
        ? 'webhook returned response.patch but not response.patchType'
        : `webhook returned invalid response.patchType of ${JSON.stringify(response.patchType)}`,
    );
  }
  for (const warning of response.warnings ?? []) request.warn(warning);
  return { response };
}
