import type { Task } from '../../../sim/task.ts';
import type { UntypedObject } from '../../api/object.ts';
import { forbidden } from '../../api/status.ts';
import type { Node, Pod, TokenRequest } from '../../api/types.ts';
import { equalJson } from '../../api/equal.ts';
import { nodeOf } from '../auth/node-authorizer.ts';
import { refuse } from '../refusal.ts';
import { keyOf, readObject } from '../resource-store.ts';
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../server-context.ts';
import { kindNamed } from './lookup.ts';

const mirror = 'kubernetes.io/config.mirror';

/** Labels below kubernetes.io and k8s.io that a kubelet may set on its node. */
const allowedLabels = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'node.kubernetes.io/windows-build',
]);
const allowedPrefixes = ['kubelet.kubernetes.io', 'node.kubernetes.io'];

function isRestricted(label: string): boolean {
  const slash = label.indexOf('/');
  if (slash < 0) return false;
  const domain = label.slice(0, slash);
  const isOurs = ['kubernetes.io', 'k8s.io'].some((own) => domain === own || domain.endsWith(`.${own}`));
  if (!isOurs || allowedLabels.has(label)) return false;
  return !allowedPrefixes.some((prefix) => domain === prefix || domain.endsWith(`.${prefix}`));
}

/** NodeRestriction: a kubelet changes its own node and its own pods, and no more. */
export const nodeRestriction: AdmissionPlugin = {
  name: 'NodeRestriction',
  handles: ({ user }) => nodeOf(user) !== undefined,
  *admit(request, server) {
    const node = nodeOf(request.user) ?? '';
    switch (request.kind.kind) {
      case 'Pod':
        if (request.subresource === '' || request.subresource === 'status') yield* checkPod(request, server, node);
        if (request.subresource === 'eviction')
          yield* checkOwnPod(request, server, node, 'can only evict pods with spec.nodeName set to itself');
        break;
      case 'Node':
        checkNode(request, node);
        break;
      case 'ServiceAccount':
        if (request.subresource === 'token') yield* checkToken(request, server);
        break;
      case 'Lease':
        if (request.namespace === 'kube-node-lease' && request.name !== node)
          deny(request, 'can only access node lease with the same name as the requesting node');
        break;
      case 'CSINode':
        if (request.name !== node) deny(request, 'can only access CSINode with the same name as the requesting node');
        break;
    }
    return request.object;
  },
};

function deny(request: AdmissionRequest, why: string): never {
  return refuse(forbidden(request.kind, request.name, why));
}

function* checkOwnPod(request: AdmissionRequest, server: ServerContext, node: string, why: string): Task<void> {
  const kind = kindNamed(server, '', 'v1', 'pods');
  const found = yield* readObject(server, keyOf(kind, request.namespace, request.name));
  if (found !== undefined && (found as unknown as Pod).spec.nodeName !== node) deny(request, `node ${JSON.stringify(node)} ${why}`);
}

function* checkPod(request: AdmissionRequest, server: ServerContext, node: string): Task<void> {
  const quoted = JSON.stringify(node);
  const pod = request.object as unknown as Pod | undefined;
  switch (request.operation) {
    case 'CREATE': {
      if (pod === undefined) return;
      if (pod.metadata.annotations?.[mirror] === undefined)
        deny(request, `pod does not have ${JSON.stringify(mirror)} annotation, node ${quoted} can only create mirror pods`);
      if (pod.spec.nodeName !== node) deny(request, `node ${quoted} can only create pods with spec.nodeName set to itself`);
      if ((pod.spec.serviceAccountName ?? '') !== '') deny(request, 'a mirror pod may not reference service accounts');
      const owners = pod.metadata.ownerReferences ?? [];
      if (owners.length !== 1) deny(request, `node ${quoted} can only create pods with a single owner reference set to itself`);
      return;
    }
    case 'UPDATE': {
      const old = request.oldObject as unknown as Pod | undefined;
      if (old?.spec.nodeName !== node) deny(request, `node ${quoted} can only update pod status for pods with spec.nodeName set to itself`);
      if (!equalJson(old?.metadata.labels, pod?.metadata.labels)) deny(request, `node ${quoted} cannot update labels through pod status`);
      return;
    }
    case 'DELETE':
      yield* checkOwnPod(request, server, node, 'can only delete pods with spec.nodeName set to itself');
      return;
    default:
      return;
  }
}

function checkNode(request: AdmissionRequest, node: string): void {
  if (request.name !== '' && request.name !== node)
    deny(request, `node ${JSON.stringify(node)} is not allowed to modify node ${JSON.stringify(request.name)}`);
  const next = request.object as unknown as Node | undefined;
  const labels = (object: Node | undefined): Readonly<Record<string, string>> => object?.metadata.labels ?? {};
  if (request.operation === 'CREATE') {
    const bad = Object.keys(labels(next)).filter(isRestricted).sort();
    if (bad.length > 0) deny(request, `node ${JSON.stringify(node)} is not allowed to set the following labels: ${bad.join(', ')}`);
    return;
  }
  if (request.operation !== 'UPDATE') return;
  const old = request.oldObject as unknown as Node | undefined;
  if (!equalJson(next?.spec?.taints, old?.spec?.taints)) deny(request, `node ${JSON.stringify(node)} is not allowed to modify taints`);
  const changed = [...new Set([...Object.keys(labels(next)), ...Object.keys(labels(old))])]
    .filter((key) => labels(next)[key] !== labels(old)[key] && isRestricted(key))
    .sort();
  if (changed.length > 0) deny(request, `is not allowed to modify labels: ${changed.join(', ')}`);
}

function* checkToken(request: AdmissionRequest, server: ServerContext): Task<void> {
  const bound = (request.object as unknown as TokenRequest | undefined)?.spec?.boundObjectRef;
  if (bound?.kind !== 'Pod' || (bound.name ?? '') === '') deny(request, 'node requested token not bound to a pod');
  if ((bound?.uid ?? '') === '') deny(request, 'node requested token with a pod binding without a uid');
  const kind = kindNamed(server, '', 'v1', 'pods');
  const pod: UntypedObject | undefined = yield* readObject(server, keyOf(kind, request.namespace, bound?.name ?? ''));
  if (pod !== undefined && pod.metadata.uid !== bound?.uid) {
    deny(
      request,
      `the UID in the bound object reference (${bound?.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  if (pod !== undefined && (pod as unknown as Pod).spec.nodeName !== nodeOf(request.user))
    deny(request, 'node requested token bound to a pod scheduled on a different node');
}
