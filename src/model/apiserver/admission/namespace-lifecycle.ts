import type { UntypedObject } from '../../api/object.ts';
import { forbidden, notFound } from '../../api/status.ts';
import { refuse } from '../refusal.ts';
import { keyOf, readObject } from '../resource-store.ts';
import type { AdmissionPlugin } from '../server-context.ts';
import { cachedOne, kindNamed } from './lookup.ts';

const immortal: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public']);
/** Review objects are answered, not stored, so a terminating namespace does not matter to them. */
const reviews: ReadonlySet<string> = new Set(['localsubjectaccessreviews', 'subjectaccessreviews', 'selfsubjectaccessreviews']);

/** NamespaceLifecycle: nothing is created in a namespace that is missing or terminating, and the first namespaces stay. */
export const namespaceLifecycle: AdmissionPlugin = {
  name: 'NamespaceLifecycle',
  handles: ({ operation }) => operation === 'CREATE' || operation === 'UPDATE' || operation === 'DELETE',
  *admit(request, server) {
    const { kind, name, namespace, operation, object } = request;
    if (operation === 'DELETE') {
      if (kind.kind === 'Namespace' && immortal.has(name)) refuse(forbidden(kind, name, 'this namespace may not be deleted'));
      return object;
    }
    if (!kind.namespaced || namespace === '' || reviews.has(kind.resource) || operation !== 'CREATE') return object;
    const namespaces = kindNamed(server, '', 'v1', 'namespaces');
    let found: UntypedObject | undefined = yield* cachedOne(server, namespaces, '', namespace);
    if (found === undefined) {
      // Upstream asks etcd before it refuses, because its informer may be late.
      found = yield* readObject(server, keyOf(namespaces, '', namespace));
      if (found === undefined) refuse(notFound(namespaces, namespace));
    }
    if ((found['status'] as { readonly phase?: string } | undefined)?.phase !== 'Terminating') return object;
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    return refuse(
      forbidden(kind, name, why, [
        { reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' },
      ]),
    );
  },
};
