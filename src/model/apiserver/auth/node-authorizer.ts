import { parseFieldSelector } from '../../api/field-selector.ts';
import type { UserInfo } from '../../api/request.ts';
import type { ClusterRole, PersistentVolumeClaim, Pod, PolicyRule } from '../../api/types.ts';
import type { Task } from '../../../sim/task.ts';
import { kindNamed } from '../admission/lookup.ts';
import recorded from '../generated/bootstrap.json' with { type: 'json' };
import { keyOf } from '../resource-store.ts';
import type { AuthorizationRequest, Authorizer, Decision, ServerContext } from '../server-context.ts';
import { ruleAllows } from './rbac.ts';

/** The node of a kubelet's identity, or undefined for anybody else. */
export function nodeOf(user: UserInfo): string | undefined {
  const prefix = 'system:node:';
  return user.name.startsWith(prefix) && user.groups.includes('system:nodes') ? user.name.slice(prefix.length) : undefined;
}

/** What kubelets may do besides what follows from their pods: upstream bootstrappolicy.NodeRules. */
const nodeRules: readonly PolicyRule[] =
  (recorded as unknown as readonly { readonly object: ClusterRole }[]).find(
    ({ object }) => object.kind === 'ClusterRole' && object.metadata.name === 'system:node',
  )?.object.rules ?? [];

/** What a node's pods refer to, as 'resource/namespace/name'. */
type References = ReadonlySet<string>;
interface Memo {
  changes: string;
  readonly byNode: Map<string, References>;
}
const memos = new WeakMap<ServerContext, Memo>();

function* referencesOf(server: ServerContext, node: string): Task<References> {
  const pods = server.cacheOf(kindNamed(server, '', 'v1', 'pods'));
  const claims = server.cacheOf(kindNamed(server, '', 'v1', 'persistentvolumeclaims'));
  if (!pods.ready) yield* pods.untilReady();
  if (!claims.ready) yield* claims.untilReady();
  let memo = memos.get(server);
  const changes = `${pods.changes}/${claims.changes}`;
  if (memo === undefined || memo.changes !== changes) {
    memo = { changes, byNode: new Map() };
    memos.set(server, memo);
  }
  const known = memo.byNode.get(node);
  if (known !== undefined) return known;
  const references = new Set<string>();
  for (const [, object] of pods.items(undefined)) {
    const pod = object as unknown as Pod;
    if (pod.spec.nodeName === node)
      addReferences(
        pod,
        references,
        (namespace, name) => claims.get(keyOf(claims.kind, namespace, name)) as unknown as PersistentVolumeClaim | undefined,
      );
  }
  memo.byNode.set(node, references);
  return references;
}

function addReferences(
  pod: Pod,
  out: Set<string>,
  claimNamed: (namespace: string, name: string) => PersistentVolumeClaim | undefined,
): void {
  const namespace = pod.metadata.namespace ?? '';
  const add = (resource: string, name: string | undefined): void => {
    if (name !== undefined) out.add(`${resource}/${namespace}/${name}`);
  };
  add('pods', pod.metadata.name);
  // A mirror pod of a static pod opens nothing.
  if (pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) return;
  add('serviceaccounts', pod.spec.serviceAccountName);
  for (const secret of pod.spec.imagePullSecrets ?? []) add('secrets', secret.name);
  for (const container of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]) {
    for (const env of container.env ?? []) {
      add('secrets', env.valueFrom?.secretKeyRef?.name);
      add('configmaps', env.valueFrom?.configMapKeyRef?.name);
    }
    for (const from of container.envFrom ?? []) {
      add('secrets', from.secretRef?.name);
      add('configmaps', from.configMapRef?.name);
    }
  }
  for (const volume of pod.spec.volumes ?? []) {
    add('secrets', volume.secret?.secretName);
    add('configmaps', volume.configMap?.name);
    for (const source of volume.projected?.sources ?? []) {
      add('secrets', source.secret?.name);
      add('configmaps', source.configMap?.name);
    }
    const claim =
      volume.persistentVolumeClaim?.claimName ?? (volume.ephemeral === undefined ? undefined : `${pod.metadata.name}-${volume.name}`);
    add('persistentvolumeclaims', claim);
    const volumeName = claim === undefined ? undefined : claimNamed(namespace, claim)?.spec.volumeName;
    if (volumeName !== undefined) out.add(`persistentvolumes//${volumeName}`);
  }
}

const no = (reason: string): Decision => ({ allowed: false, reason });
const yes: Decision = { allowed: true, reason: '' };

/** Node: a kubelet reaches what its own pods refer to. Upstream plugin/pkg/auth/authorizer/node. */
export const nodeAuthorizer: Authorizer = {
  tellsAllRules: (user) => nodeOf(user) === undefined,
  *authorize(asked, server): Task<Decision> {
    const node = nodeOf(asked.user);
    if (node === undefined) return no('');
    if (asked.path === undefined) {
      const decision = yield* byResource(asked, server, node);
      if (decision !== undefined) return decision;
    }
    return nodeRules.some((rule) => ruleAllows(rule, asked)) ? yes : no('');
  },
};

/** Undefined: the general rules decide. */
function* byResource(asked: AuthorizationRequest, server: ServerContext, node: string): Task<Decision | undefined> {
  const { group, resource, subresource, verb } = asked;
  switch (`${group}/${resource}`) {
    case '/secrets':
    case '/configmaps':
      if (verb !== 'get' && verb !== 'list' && verb !== 'watch') return no('can only read resources of this type');
      return subresource === '' ? yield* related(asked, server, node) : no('cannot read subresource');
    case '/persistentvolumes':
      if (verb !== 'get') return no('can only get individual resources of this type');
      return yield* related(asked, server, node);
    case '/persistentvolumeclaims':
      if (verb === 'get') return yield* related(asked, server, node);
      return subresource === 'status' && (verb === 'update' || verb === 'patch')
        ? yield* related(asked, server, node)
        : no('can only get individual resources of this type');
    case '/serviceaccounts':
      if (subresource === 'token')
        return verb === 'create' ? yield* related(asked, server, node) : no('only the create verb is allowed for service account tokens');
      return verb === 'get' ? yield* related(asked, server, node) : undefined;
    case 'coordination.k8s.io/leases':
      if (asked.namespace !== 'kube-node-lease') return no('can only access leases in the "kube-node-lease" system namespace');
      return verb !== 'create' && asked.name !== node ? no('can only access node lease with the same name as the requesting node') : yes;
    case 'storage.k8s.io/csinodes':
      return verb !== 'create' && asked.name !== node ? no('can only access CSINode with the same name as the requesting node') : yes;
    case '/nodes':
      if (verb === 'get' || verb === 'list' || verb === 'watch') {
        if (asked.name === node) return yes;
        return no(
          asked.name === ''
            ? `node '${node}' cannot read all nodes, only its own Node object`
            : `node '${node}' cannot read '${asked.name}', only its own Node object`,
        );
      }
      return undefined;
    case '/pods':
      if (subresource !== '') return undefined;
      if (verb === 'get') return yield* related(asked, server, node);
      if (verb === 'list' || verb === 'watch')
        return selectsOwn(asked.fieldSelector, node) ? yes : no('can only list/watch pods with spec.nodeName field selector');
      return undefined;
    default:
      return undefined;
  }
}

function selectsOwn(fieldSelector: string | undefined, node: string): boolean {
  const parsed = parseFieldSelector(fieldSelector ?? '');
  return !('error' in parsed) && parsed.some((term) => term.field === 'spec.nodeName' && term.operator === '=' && term.value === node);
}

function* related(asked: AuthorizationRequest, server: ServerContext, node: string): Task<Decision> {
  if (asked.name === '') return no('No Object name found');
  const references = yield* referencesOf(server, node);
  return references.has(`${asked.resource}/${asked.resource === 'persistentvolumes' ? '' : asked.namespace}/${asked.name}`)
    ? yes
    : no(`no relationship found between node '${node}' and this object`);
}
