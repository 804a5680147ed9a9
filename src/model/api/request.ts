import type { ApiObject, Json, Status, UntypedObject } from './object.ts';

/** Who asks. Set by authentication at the server's edge; inside the simulation it travels with the request as the credential's identity. */
export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: { readonly [key: string]: readonly string[] };
}

/** The verbs of the REST API, as authorisation names them. */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

/** The media types of a PATCH. */
export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

/** Query parameters and DeleteOptions, under their own names. */
export interface RequestOptions {
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly allowWatchBookmarks?: boolean;
  readonly sendInitialEvents?: boolean;
  readonly timeoutSeconds?: number;
  readonly dryRun?: readonly string[];
  readonly fieldManager?: string;
  readonly fieldValidation?: string;
  readonly force?: boolean;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: string;
  readonly orphanDependents?: boolean;
  /** Paths of JSON or YAML keys that were written twice; only who read the text can know. */
  readonly duplicateFields?: readonly string[];
  /** The query of a connection through the server (log, exec, …), whose options are of no object. */
  readonly connect?: Readonly<Record<string, string>>;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/**
 * One API call as data: what travels over a simulated connection from a program to an API server.
 * Only src/serve and the conformance runner turn HTTP bytes into it and back.
 */
export interface ApiRequest {
  readonly verb: Verb;
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  /** Plural, lower case: 'pods'. */
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** The object of create and update (and of subresource posts such as bindings and evictions). */
  readonly object?: UntypedObject;
  readonly patchType?: PatchType;
  readonly patch?: Json;
  readonly options?: RequestOptions;
  readonly user: UserInfo;
  /** What the edge found wrong with the request's text (a broken body, an unreadable option): answered once the caller is known to be allowed. */
  readonly refused?: Status;
  /** Size of the body where it came as text and is big: etcd refuses objects above 1.5 MiB. */
  readonly bodyBytes?: number;
  /** The User-Agent's first word: the default field manager ('kubectl', 'kubelet', 'kube-controller-manager'). */
  readonly userAgent?: string;
}

/** The answer to every verb but watch. `object` is the object, a list, or a Status (always one when code >= 400). */
export interface ApiResponse {
  readonly code: number;
  readonly object: ApiObject | Status | { readonly kind: string; readonly apiVersion: string };
  /** Texts of `Warning: 299` headers. */
  readonly warnings?: readonly string[];
  /** The answer is this text and no object. */
  readonly text?: string;
}

/** One frame of a watch. */
export type WatchEvent<T extends ApiObject = ApiObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly object: ApiObject }
  | { readonly type: 'ERROR'; readonly object: Status };
