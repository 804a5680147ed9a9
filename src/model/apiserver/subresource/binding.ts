import type { Task } from '../../../sim/task.ts';
import type { UntypedObject } from '../../api/object.ts';
import type { ApiResponse } from '../../api/request.ts';
import { badRequest, conflict, methodNotAllowed, notFound, plainError } from '../../api/status.ts';
import { formatTime } from '../../api/time.ts';
import type { Pod, PodCondition } from '../../api/types.ts';
import { admit, validateAdmission } from '../admission-chain.ts';
import { cachedOne, kindNamed } from '../admission/lookup.ts';
import { cachedObject } from '../update.ts';
import { refuse } from '../refusal.ts';
import { guaranteedUpdate, keyOf } from '../resource-store.ts';
import type { RequestScope } from '../server-context.ts';

interface BindingBody extends UntypedObject {
  readonly target?: { readonly kind?: string; readonly name?: string };
}

const topologyLabels = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

/** The binding subresource: how a scheduler places a pod. Upstream pkg/registry/core/pod/storage BindingREST. */
export function* binding(scope: RequestScope): Task<ApiResponse> {
  if (scope.request.verb !== 'create') refuse(methodNotAllowed());
  return yield* bind(scope, scope.request.name ?? scope.request.object?.metadata?.name ?? '');
}

export function* bind(outer: RequestScope, name: string): Task<ApiResponse> {
  const scope: RequestScope = { ...outer, request: { ...outer.request, subresource: 'binding' } };
  const { server } = scope;
  const kind = kindNamed(server, '', 'v1', 'pods');
  const body = (scope.request.object ?? {}) as BindingBody;
  const given = body.metadata?.name ?? '';
  if (given !== '' && given !== name) refuse(badRequest('name in URL does not match name in Binding object'));
  const target = body.target ?? {};
  if ((target.kind ?? '') !== '' && target.kind !== 'Node')
    refuse(plainError(`target.kind: Unsupported value: ${JSON.stringify(target.kind)}: supported values: "Node", "<empty>"`));
  if ((target.name ?? '') === '') refuse(plainError('target.name: Required value'));
  const withZone = yield* topologyOf(scope, target.name ?? '');
  const subject = { operation: 'CREATE' as const, kind, name, object: body as UntypedObject, oldObject: undefined };
  yield* admit(scope, subject);
  yield* validateAdmission(scope, subject);
  const key = keyOf(kind, scope.namespace, name);
  const refused = (why: string): never => refuse(conflict({ group: '', resource: 'pods/binding' }, name, why));
  yield* guaranteedUpdate(
    server,
    { kind, key, name, uid: body.metadata?.uid, dryRun: scope.dryRun, cached: cachedObject(scope, kind, key) },
    // biome-ignore lint/correctness/useYield: a task that answers at once
    function* (existing) {
      if (existing === undefined) return refuse(notFound(kind, name));
      const pod = existing as unknown as Pod;
      if (pod.metadata.deletionTimestamp !== undefined) refused(`pod ${name} is being deleted, cannot be assigned to a host`);
      if ((pod.spec.nodeName ?? '') !== '') refused(`pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`);
      if ((pod.spec.schedulingGates?.length ?? 0) > 0) refused(`pod ${name} has non-empty .spec.schedulingGates`);
      const labels = { ...pod.metadata.labels, ...withZone, ...body.metadata?.labels };
      const annotations = { ...pod.metadata.annotations, ...body.metadata?.annotations };
      return {
        ...pod,
        metadata: {
          ...pod.metadata,
          ...(Object.keys(labels).length > 0 ? { labels } : {}),
          ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
        },
        spec: { ...pod.spec, nodeName: target.name ?? '' },
        // ClearingNominatedNodeNameAfterBinding (KEP-5278): a bound pod waits for nothing any more.
        status: { ...withoutNomination(pod.status), conditions: scheduled(pod.status?.conditions ?? [], formatTime(scope.context.nowUs)) },
      } as unknown as UntypedObject;
    },
  );
  return { code: 201, object: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } };
}

/** PodTopologyLabels admission (KEP-4742): a bound pod carries its node's zone and region. */
function* topologyOf(scope: RequestScope, nodeName: string): Task<Readonly<Record<string, string>>> {
  const node = yield* cachedOne(scope.server, kindNamed(scope.server, '', 'v1', 'nodes'), '', nodeName);
  const labels: Record<string, string> = {};
  for (const key of topologyLabels) {
    const value = node?.metadata.labels?.[key];
    if (value !== undefined) labels[key] = value;
  }
  return labels;
}

function withoutNomination(status: Pod['status']): Pod['status'] {
  if (status?.nominatedNodeName === undefined) return status;
  const { nominatedNodeName: _, ...rest } = status;
  return rest;
}

function scheduled(conditions: readonly PodCondition[], now: string): readonly PodCondition[] {
  const condition: PodCondition = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null as unknown as string,
    lastTransitionTime: now,
  };
  const at = conditions.findIndex((c) => c.type === 'PodScheduled');
  if (at < 0) return [...conditions, condition];
  const before = conditions[at];
  const kept =
    before?.status === 'True' && before.lastTransitionTime !== undefined
      ? { ...condition, lastTransitionTime: before.lastTransitionTime }
      : condition;
  return conditions.map((c, i) => (i === at ? kept : c));
}
