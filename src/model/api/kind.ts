import type { FieldError } from './field-error.ts';
import type { DeepReadonly, UntypedObject } from './object.ts';
import type { TypeRef } from './schema.ts';

/** What a kind's rules may know of the call and the cluster beyond the object itself. */
export interface KindContext {
  /** Wall clock of the API server, microseconds since the Unix epoch. */
  readonly nowUs: number;
  /** Feature gates that differ from Kubernetes 1.35's defaults. */
  readonly featureGate: (name: string) => boolean;
}

/** What a custom resource's definition says beyond the rules that all kinds have. */
export interface CustomRules {
  /** The schema as a type for server-side apply. */
  readonly type: TypeRef;
  readonly storageApiVersion: string;
  /** The object without fields that the schema does not know, and their paths. */
  readonly prune: (object: UntypedObject) => { readonly object: UntypedObject; readonly unknown: readonly string[] };
  /** Warning of a deprecated version. */
  readonly deprecation?: string;
  readonly scale?: { readonly specPath: string; readonly statusPath: string; readonly selectorPath?: string };
}

/** A printer column of `kubectl get` and how its cell is made. */
export interface PrinterColumn<T> {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  readonly description?: string;
  /** Columns above 0 show only in `-o wide`. */
  readonly priority: number;
  readonly cell: (object: T, context: KindContext) => string | number | boolean | null;
}

/**
 * Everything that distinguishes one built-in kind: one of these per file under `kinds/`, one row in the registry.
 * Answers to upstream `pkg/apis/<group>/<version>/defaults.go`, `pkg/apis/<group>/validation` and `pkg/registry/<group>/<kind>/strategy.go`.
 * All functions are pure; objects are never changed in place, so a function that changes nothing returns its argument itself.
 */
export interface Kind<T = UntypedObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Plural, lower case. */
  readonly resource: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** Path below /registry of its objects in etcd, such as 'pods' or 'services/specs'. */
  readonly storagePath: string;
  readonly subresources: readonly string[];
  /** metadata.generation is kept: 1 at creation, +1 when `spec` changes. */
  readonly hasGeneration: boolean;
  /** Graceful deletion: seconds to wait for this delete, or undefined where the kind is deleted at once (all but pods). */
  readonly defaultGracePeriodSeconds?: (object: DeepReadonly<T>) => number;
  readonly setDefaults?: (object: DeepReadonly<T>, context: KindContext) => DeepReadonly<T>;
  /** Strategy's PrepareForCreate: drops what a creator may not set (status). */
  readonly prepareForCreate?: (object: DeepReadonly<T>, context: KindContext) => DeepReadonly<T>;
  /** Strategy's PrepareForUpdate: keeps what an update may not touch. */
  readonly prepareForUpdate?: (next: DeepReadonly<T>, previous: DeepReadonly<T>, context: KindContext) => DeepReadonly<T>;
  /** The status strategy's PrepareForUpdate: keeps everything but status. */
  readonly prepareForStatusUpdate?: (next: DeepReadonly<T>, previous: DeepReadonly<T>, context: KindContext) => DeepReadonly<T>;
  readonly validate?: (object: DeepReadonly<T>, context: KindContext) => readonly FieldError[];
  readonly validateUpdate?: (next: DeepReadonly<T>, previous: DeepReadonly<T>, context: KindContext) => readonly FieldError[];
  readonly validateStatusUpdate?: (next: DeepReadonly<T>, previous: DeepReadonly<T>, context: KindContext) => readonly FieldError[];
  /** Warnings returned to the client on create and update. */
  readonly warnings?: (next: DeepReadonly<T>, previous: DeepReadonly<T> | undefined, context: KindContext) => readonly string[];
  /** Selectable fields beyond metadata.name and metadata.namespace. */
  readonly fields?: (object: DeepReadonly<T>) => Readonly<Record<string, string>>;
  /** Names of `fields`, so that an unknown one is refused even without objects. */
  readonly fieldNames?: readonly string[];
  /** Of custom resources only. */
  readonly custom?: CustomRules;
  readonly columns?: readonly PrinterColumn<DeepReadonly<T>>[];
}
