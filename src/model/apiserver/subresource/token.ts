import type { Task } from '../../../sim/task.ts';
import { newUid } from '../../api/names.ts';
import type { UntypedObject } from '../../api/object.ts';
import type { ServedKind } from '../../api/registry.ts';
import type { ApiResponse } from '../../api/request.ts';
import { structType } from '../../api/schema.ts';
import { conflict, invalid, methodNotAllowed, notFound } from '../../api/status.ts';
import { formatTime } from '../../api/time.ts';
import type { TokenRequest } from '../../api/types.ts';
import { invalid as invalidField } from '../../api/validation/field-errors.ts';
import { kindNamed } from '../admission/lookup.ts';
import { admit, validateAdmission } from '../admission-chain.ts';
import { decodeBody } from '../body.ts';
import { trackUpdate } from '../field-tracking.ts';
import { refuse } from '../refusal.ts';
import { keyOf, readObject } from '../resource-store.ts';
import type { RequestScope } from '../server-context.ts';
import { issueToken } from '../service-account-token.ts';

export const issuer = 'https://kubernetes.default.svc';
const usPerSecond = 1_000_000;

/** authentication.k8s.io/v1 TokenRequest, decoded as a kind. */
const tokenRequestKind = {
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenRequest',
  resource: 'tokenrequests',
  singular: 'tokenrequest',
  shortNames: [],
  categories: [],
  namespaced: true,
  storagePath: '',
  subresources: [],
  hasGeneration: false,
  type: structType('TokenRequest'),
  apiVersion: 'authentication.k8s.io/v1',
  storeKey: '',
} satisfies ServedKind;

const boundKinds: Readonly<Record<string, string>> = { Pod: 'pods', Secret: 'secrets', Node: 'nodes' };

/** The token subresource of service accounts. */
export function* token(scope: RequestScope): Task<ApiResponse> {
  const { server, request, kind } = scope;
  if (request.verb !== 'create') refuse(methodNotAllowed());
  const name = request.name ?? '';
  const account = yield* readObject(server, keyOf(kind, scope.namespace, name));
  if (account === undefined) return refuse(notFound(kind, name));
  const body = decodeBody(scope, tokenRequestKind, request.object) as unknown as TokenRequest;
  const decoded = { ...body, spec: { ...body.spec, expirationSeconds: body.spec?.expirationSeconds ?? 3600 } } as unknown as UntypedObject;
  const subject = { operation: 'CREATE' as const, kind, name, object: decoded, oldObject: undefined };
  yield* admit(scope, subject);
  yield* validateAdmission(scope, subject);
  const tracked = trackUpdate(scope, tokenRequestKind, undefined, decoded) as unknown as TokenRequest;
  const spec = tracked.spec ?? { audiences: [] };
  const seconds = spec.expirationSeconds ?? 3600;
  if (seconds < 600) {
    const error = invalidField('spec.expirationSeconds', seconds, 'may not specify a duration less than 10 minutes');
    refuse(invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', [error]));
  }
  const bound = spec.boundObjectRef;
  let boundUid: string | undefined;
  if (bound?.kind !== undefined) {
    const boundKind = kindNamed(server, '', 'v1', boundKinds[bound.kind] ?? 'pods');
    const object = yield* readObject(server, keyOf(boundKind, scope.namespace, bound.name ?? ''));
    if (object === undefined) return refuse(notFound(boundKind, bound.name ?? ''));
    boundUid = object.metadata.uid;
    if ((bound.uid ?? '') !== '' && bound.uid !== boundUid) {
      refuse(
        conflict(
          boundKind,
          bound.name ?? '',
          `the UID in the bound object reference (${bound.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
        ),
      );
    }
  }
  const audiences = spec.audiences === null || (spec.audiences ?? []).length === 0 ? [issuer] : spec.audiences;
  const nowSeconds = Math.floor(scope.context.nowUs / usPerSecond);
  // Tokens of a kubelet's usual request live for a year, so that clients that never refresh keep working (WarnOnlyBoundTokenExpiration).
  const lifetime = seconds === 3607 && bound?.kind === 'Pod' ? 365 * 24 * 3600 : seconds;
  const text = issueToken({
    iss: issuer,
    sub: `system:serviceaccount:${scope.namespace}:${name}`,
    aud: audiences,
    iat: nowSeconds,
    exp: nowSeconds + lifetime,
    uid: account.metadata.uid ?? '',
    jti: newUid(server.environment.random),
    namespace: scope.namespace,
    name,
    ...(bound?.kind === undefined ? {} : { bound: { kind: bound.kind, name: bound.name ?? '', uid: boundUid ?? '' } }),
  });
  const { managedFields } = tracked.metadata;
  const object = {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: {
      name,
      namespace: scope.namespace,
      uid: account.metadata.uid ?? '',
      creationTimestamp: formatTime(scope.context.nowUs),
      ...(managedFields === undefined ? {} : { managedFields }),
    },
    spec: { audiences, expirationSeconds: seconds, boundObjectRef: bound ?? null },
    status: { token: text, expirationTimestamp: formatTime(scope.context.nowUs + seconds * usPerSecond) },
  };
  return { code: 201, object: object as unknown as UntypedObject };
}
