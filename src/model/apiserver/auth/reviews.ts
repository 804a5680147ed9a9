import type { Task } from '../../../sim/task.ts';
import type { FieldError } from '../../api/field-error.ts';
import type { UntypedObject } from '../../api/object.ts';
import type { ApiResponse, UserInfo } from '../../api/request.ts';
import { badRequest, invalid, methodNotAllowed } from '../../api/status.ts';
import { formatTime } from '../../api/time.ts';
import type { NonResourceAttributes, ResourceAttributes } from '../../api/generated/types.ts';
import type { PolicyRule } from '../../api/types.ts';
import { invalid as invalidField } from '../../api/validation/field-errors.ts';
import { decodeBody } from '../body.ts';
import { trackUpdate } from '../field-tracking.ts';
import { refuse } from '../refusal.ts';
import type { AuthorizationRequest, RequestScope } from '../server-context.ts';
import { serviceAccountIssuer } from './authentication.ts';

interface ReviewSpec {
  readonly resourceAttributes?: ResourceAttributes;
  readonly nonResourceAttributes?: NonResourceAttributes;
  readonly user?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
  readonly namespace?: string;
  readonly token?: string;
  readonly audiences?: readonly string[];
}

/** Review objects: created to be answered, never stored. Undefined for kinds that are no reviews. */
export function* review(scope: RequestScope): Task<ApiResponse | undefined> {
  const { kind } = scope;
  if (kind.storagePath !== '' || kind.kind === 'Binding' || kind.kind === 'ComponentStatus') return undefined;
  const body = trackUpdate(scope, kind, undefined, decodeBody(scope, kind, scope.request.object));
  const spec = (body['spec'] ?? {}) as ReviewSpec;
  switch (kind.kind) {
    case 'SelfSubjectReview':
      return answer({
        ...body,
        metadata: { ...body.metadata, creationTimestamp: formatTime(scope.context.nowUs) },
        status: { userInfo: userInfo(scope.request.user) },
      });
    case 'SelfSubjectAccessReview':
      return yield* accessReview(scope, body, spec, scope.request.user);
    case 'SubjectAccessReview':
    case 'LocalSubjectAccessReview':
      return yield* accessReview(scope, body, spec, { name: spec.user ?? '', groups: spec.groups ?? [] });
    case 'SelfSubjectRulesReview':
      return yield* rulesReview(scope, body, spec);
    case 'TokenReview':
      return yield* tokenReview(scope, body, spec);
    default:
      return refuse(methodNotAllowed());
  }
}

function answer(object: UntypedObject | Record<string, unknown>): ApiResponse {
  return { code: 201, object: object as unknown as UntypedObject };
}

function userInfo(user: UserInfo): object {
  return {
    username: user.name,
    ...(user.uid === undefined || user.uid === '' ? {} : { uid: user.uid }),
    groups: user.groups,
    ...(user.extra === undefined ? {} : { extra: user.extra }),
  };
}

function checkAccess(scope: RequestScope, body: UntypedObject, spec: ReviewSpec): void {
  const errors: FieldError[] = [];
  const { resourceAttributes, nonResourceAttributes } = spec;
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined) {
    const printed = { Path: nonResourceAttributes.path ?? '', Verb: nonResourceAttributes.verb ?? '' };
    errors.push(invalidField('spec.nonResourceAttributes', printed, 'cannot be specified in combination with resourceAttributes'));
  }
  if (resourceAttributes === undefined && nonResourceAttributes === undefined) {
    errors.push(
      invalidField('spec.resourceAttributes', null, 'exactly one of nonResourceAttributes or resourceAttributes must be specified'),
    );
  }
  if (scope.kind.kind !== 'SelfSubjectAccessReview' && (spec.user ?? '') === '' && (spec.groups ?? []).length === 0) {
    errors.push(invalidField('spec.user', '', 'at least one of user or group must be specified'));
  }
  if (
    scope.kind.kind === 'LocalSubjectAccessReview' &&
    resourceAttributes !== undefined &&
    resourceAttributes.namespace !== (body.metadata.namespace ?? scope.namespace)
  ) {
    errors.push(invalidField('spec.resourceAttributes.namespace', resourceAttributes.namespace ?? '', 'must match metadata.namespace'));
  }
  if (errors.length > 0) refuse(invalid({ group: scope.kind.group, kind: '' }, '', errors));
}

function* accessReview(scope: RequestScope, body: UntypedObject, spec: ReviewSpec, user: UserInfo): Task<ApiResponse> {
  checkAccess(scope, body, spec);
  const { resourceAttributes: about, nonResourceAttributes: path } = spec;
  const asked: AuthorizationRequest = {
    user,
    verb: about?.verb ?? path?.verb ?? '',
    group: about?.group ?? '',
    version: about?.version ?? '',
    resource: about?.resource ?? '',
    subresource: about?.subresource ?? '',
    namespace: about?.namespace ?? '',
    name: about?.name ?? '',
    ...(path === undefined ? {} : { path: path.path ?? '' }),
  };
  const { allowed, reason } = yield* scope.server.authorizer.authorize(asked, scope.server);
  return answer({ ...body, status: { allowed, ...(reason === '' ? {} : { reason }) } });
}

function* rulesReview(scope: RequestScope, body: UntypedObject, spec: ReviewSpec): Task<ApiResponse> {
  const namespace = spec.namespace ?? '';
  if (namespace === '') refuse(badRequest('no namespace on request'));
  const { authorizer } = scope.server;
  const rules: readonly PolicyRule[] =
    authorizer.rulesFor === undefined ? [] : yield* authorizer.rulesFor(scope.request.user, namespace, scope.server);
  const resourceRules: object[] = [];
  const nonResourceRules: object[] = [];
  for (const rule of rules) {
    if ((rule.resources ?? []).length > 0) {
      const { verbs, apiGroups, resources, resourceNames } = rule;
      resourceRules.push({ verbs, apiGroups, resources, ...(resourceNames === undefined ? {} : { resourceNames }) });
    }
    if ((rule.nonResourceURLs ?? []).length > 0) nonResourceRules.push({ verbs: rule.verbs, nonResourceURLs: rule.nonResourceURLs });
  }
  const { managedFields: _, ...metadata } = body.metadata;
  const incomplete = !(authorizer.tellsAllRules?.(scope.request.user) ?? true);
  const evaluationError = incomplete ? { evaluationError: 'node authorizer does not support user rule resolution' } : {};
  return answer({ ...body, metadata, spec: {}, status: { resourceRules, nonResourceRules, incomplete, ...evaluationError } });
}

function* tokenReview(scope: RequestScope, body: UntypedObject, spec: ReviewSpec): Task<ApiResponse> {
  if ((spec.token ?? '') === '') refuse(badRequest('token is required for TokenReview in authentication'));
  const { authenticator } = scope.server;
  const audiences = (spec.audiences ?? []).length > 0 ? (spec.audiences ?? []) : [serviceAccountIssuer];
  const found =
    authenticator === undefined
      ? 'invalid bearer token'
      : yield* authenticator.authenticateToken(spec.token ?? '', audiences, scope.server);
  if (found === undefined || typeof found === 'string')
    return answer({ ...body, status: { user: {}, error: found ?? 'invalid bearer token' } });
  return answer({ ...body, status: { authenticated: true, user: userInfo(found.user), audiences: found.audiences } });
}
