import { builtInKinds } from '../../../model/api/kinds/registry.ts';
import type { Status } from '../../../model/api/object.ts';
import { admissionPlugins } from '../../../model/apiserver/admission/default-plugins.ts';
import { TokenAuthenticator } from '../../../model/apiserver/auth/authentication.ts';
import { nodeAuthorizer } from '../../../model/apiserver/auth/node-authorizer.ts';
import { rbacAuthorizer, unionAuthorizer } from '../../../model/apiserver/auth/rbac.ts';
import { ApiServerCore } from '../../../model/apiserver/core.ts';
import { writeFreshCluster } from '../../../model/apiserver/fresh-cluster.ts';
import { MemoryStorage } from '../../../model/apiserver/memory-storage.ts';
import { decodeHttpRequest } from '../../../serve/http-request.ts';
import { VirtualWorld } from '../api/virtual-world.ts';

/** 2026-01-01T00:00:00Z. */
const startUs = 1_767_225_600_000_000;
const settleUs = 10_000_000;
/** Between two requests, so that what one made is in the caches of the next. */
const betweenUs = 1_000_000;

export interface SetAnswer {
  readonly code: number;
  /** Of a refusal. */
  readonly message: string;
  readonly warnings: readonly string[];
}

interface Target {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
}

/** An API server of its own for one set of manifests, asked over what would be HTTP. */
export class SetServer {
  private readonly world = new VirtualWorld(startUs);
  private readonly core: ApiServerCore;

  constructor() {
    this.core = new ApiServerCore({
      storage: new MemoryStorage(),
      environment: this.world.environment,
      kinds: builtInKinds,
      admission: admissionPlugins({ enable: [] }),
      authorizer: unionAuthorizer([nodeAuthorizer, rbacAuthorizer]),
      authenticator: new TokenAuthenticator(new Map()),
      options: { watchCache: true },
    });
    this.core.startCaches();
    this.world.run(writeFreshCluster(this.core, { securePort: 6443 }));
    this.world.advance(settleUs);
  }

  /** The path of a kind's collection, or undefined where the server does not know the kind. */
  collectionPath({ apiVersion, kind, namespace }: Target): string | undefined {
    const [version = '', group = ''] = apiVersion.split('/').reverse();
    const served = this.core.registry.kind(group, version, kind);
    if (served === undefined) return undefined;
    const scope = served.namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : '';
    return `${group === '' ? '/api' : `/apis/${group}`}/${version}${scope}/${served.resource}`;
  }

  send(method: 'POST' | 'PATCH', path: string, body: string): SetAnswer {
    this.world.advance(betweenUs);
    const type = method === 'POST' ? 'application/yaml' : 'application/apply-patch+yaml';
    const user = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };
    const route = decodeHttpRequest(
      { method, path, headers: { 'content-type': type, 'user-agent': 'golden/1.0' }, body },
      this.core.registry,
      user,
    );
    if (route.kind !== 'resource') throw new Error(`${path} names no resource`);
    const response = this.world.run(this.core.handle(route.request));
    const status = response.object as unknown as Status;
    return { code: response.code, message: response.code >= 400 ? (status.message ?? '') : '', warnings: response.warnings ?? [] };
  }
}
