import type { Task } from '../../sim/task.ts';
import type { KindContext } from '../api/kind.ts';
import type { UntypedObject } from '../api/object.ts';
import type { KindRegistry, ServedKind } from '../api/registry.ts';
import type { ApiRequest, RequestOptions, UserInfo } from '../api/request.ts';
import type { DefectSet } from '../defects.ts';
import type { ComponentHealth } from './component-status.ts';
import type { ServerEnvironment } from './environment.ts';
import type { PolicyRule } from '../api/types.ts';
import type { Storage } from './storage.ts';
import type { NodeConnector } from './subresource/connect.ts';
import type { WatchCache } from './watch-cache.ts';

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

/** What an admission plugin is asked: upstream admission.Attributes. */
export interface AdmissionRequest {
  readonly operation: AdmissionOperation;
  readonly kind: ServedKind;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly user: UserInfo;
  readonly options: RequestOptions;
  readonly dryRun: boolean;
  /** The new object (of the subresource's own kind for bindings, evictions and scales); undefined for DELETE. */
  readonly object: UntypedObject | undefined;
  readonly oldObject: UntypedObject | undefined;
  /** What mutating webhooks remember between the two passes of one request. */
  readonly reinvocation: Reinvocation;
  /** Adds a Warning header to the answer. */
  readonly warn: (text: string) => void;
}

/** Whether the mutating half of the chain runs a second time, and for whom: upstream `admission/plugin/webhook/mutating/reinvocationcontext.go`. */
export interface Reinvocation {
  /** This is the second pass. */
  isSecond: boolean;
  /** Something was changed that others have looked at before: a second pass is needed. */
  isWanted: boolean;
  /** Webhooks that were called and would be called again. */
  called: readonly string[];
  /** Those that are to be. */
  again: readonly string[];
  /** The object as the webhooks left it. */
  output: UntypedObject | undefined;
}

/** Where a webhook is reached; `shown` is what errors say. */
export interface WebhookTarget {
  readonly address: string;
  readonly port: number;
  readonly shown: string;
}

/** How a server reaches webhooks: in the simulation, over its network. */
export interface WebhookTransport {
  /** Posts a body; `error` is what Go's HTTP client would say. */
  readonly post: (target: WebhookTarget, body: object, timeoutUs: number) => Task<{ readonly body: unknown } | { readonly error: string }>;
}

/** One admission plugin. Both steps end a request by {@link ./refusal.ts} refuse. */
export interface AdmissionPlugin {
  readonly name: string;
  /** Whether it looks at this request at all. */
  readonly handles: (request: AdmissionRequest, server: ServerContext) => boolean;
  /** Answers the object to go on with. */
  readonly admit?: (request: AdmissionRequest, server: ServerContext) => Task<UntypedObject | undefined>;
  readonly validate?: (request: AdmissionRequest, server: ServerContext) => Task<void>;
}

/** What is asked of an authorizer: upstream authorizer.Attributes. */
export interface AuthorizationRequest {
  readonly user: UserInfo;
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** Of lists and watches. */
  readonly fieldSelector?: string;
  /** Set for requests that are about no resource, such as /healthz. */
  readonly path?: string;
}

export interface Decision {
  readonly allowed: boolean;
  /** Why; '' where there is nothing to say. */
  readonly reason: string;
}

export interface Authorizer {
  readonly authorize: (request: AuthorizationRequest, server: ServerContext) => Task<Decision>;
  /** All rules that a user has in a namespace, for rules reviews and for the check against escalation. */
  /** This authorizer allows more than its rules tell. */
  readonly tellsAllRules?: (user: UserInfo) => boolean;
  readonly rulesFor?: (user: UserInfo, namespace: string, server: ServerContext) => Task<readonly PolicyRule[]>;
}

/** Who a bearer token is; a text says why it is nobody. */
export interface TokenIdentity {
  readonly user: UserInfo;
  readonly audiences: readonly string[];
}

export interface Authenticator {
  /** Undefined for a token that nobody knows. `audiences` are those that the token must be for. */
  readonly authenticateToken: (
    token: string,
    audiences: readonly string[],
    server: ServerContext,
  ) => Task<TokenIdentity | string | undefined>;
}

/** Behaviour that is configured per server. */
export interface ServerOptions {
  /** Feature gates that differ from Kubernetes 1.35's defaults. */
  readonly featureGates?: Readonly<Record<string, boolean>>;
  /** Accept kinds that nobody declared, as they are: scenarios apply YAML with kinds that are not modelled. */
  readonly opaqueKinds?: boolean;
  /** Keep metadata.managedFields. Off saves time where nobody applies server-side. Default on. */
  readonly managedFields?: boolean;
  /** Serve reads and watches through watch caches. Default on. */
  readonly watchCache?: boolean;
  readonly serviceClusterIpRange?: string;
  readonly serviceNodePortRange?: { readonly first: number; readonly last: number };
  /** What ComponentStatus shows; default: a healthy etcd and nobody else. */
  readonly componentHealth?: () => readonly ComponentHealth[];
  /** Known bugs that are on. */
  readonly defects?: DefectSet;
  /** How the server reaches kubelets and pods; without it nobody answers there. */
  readonly connector?: NodeConnector;
  /** Upper bound of a request's body; upstream 3 MiB. */
  readonly requestBytesMax?: number;
}

/** One API server as its parts see it. */
export interface ServerContext {
  readonly storage: Storage;
  readonly environment: ServerEnvironment;
  readonly registry: KindRegistry;
  readonly options: ServerOptions;
  readonly admission: readonly AdmissionPlugin[];
  readonly authorizer: Authorizer;
  readonly authenticator: Authenticator | undefined;
  /** Undefined: nothing can be reached. */
  readonly webhooks: WebhookTransport | undefined;
  readonly kindContext: () => KindContext;
  /** The watch cache of a resource's store, started at first use. */
  readonly customResources: { readonly isTerminating: (kind: ServedKind) => boolean };
  readonly cacheOf: (kind: ServedKind) => WatchCache;
  readonly featureGate: (name: string) => boolean;
}

/** One request on its way through the server. */
export interface RequestScope {
  readonly server: ServerContext;
  readonly request: ApiRequest;
  readonly options: RequestOptions;
  readonly kind: ServedKind;
  readonly namespace: string;
  readonly dryRun: boolean;
  readonly context: KindContext;
  readonly warnings: string[];
}
