import type { Task } from '../../sim/task.ts';
import type { UntypedObject } from '../api/object.ts';
import { customKind } from '../api/custom/custom-kind.ts';
import type { ServedKind } from '../api/registry.ts';
import { formatTime } from '../api/time.ts';
import type { CustomResourceDefinition } from '../api/types.ts';
import { kindNamed } from './admission/lookup.ts';
import { deleteObject } from './delete.ts';
import { trackLoopback } from './field-tracking.ts';
import { sleep } from './environment.ts';
import { Refusal } from './refusal.ts';
import { guaranteedUpdate, keyOf, prefixOf } from './resource-store.ts';
import { everything } from './selection.ts';
import type { RequestScope, ServerContext } from './server-context.ts';
import { isStorageFailure } from './storage.ts';

const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';
const retryUs = 1_000_000;
const user = { name: 'system:apiserver', groups: ['system:masters'] };

interface NameConflict {
  readonly reason: string;
  readonly message: string;
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: string;
  readonly reason?: string;
  readonly message?: string;
}

function conditionOf(definition: CustomResourceDefinition, type: string): Condition | undefined {
  return (definition.status?.conditions as readonly Condition[] | undefined)?.find((condition) => condition.type === type);
}

/**
 * Custom resource definitions of one server: follows them through its watch cache, serves what is established, and does the work of upstream's
 * naming, establishing and finalizing controllers (every server does; their writes agree).
 */
export class CustomResources {
  private readonly server: ServerContext;
  private readonly served = new Map<string, readonly ServedKind[]>();
  private readonly terminating = new Set<string>();
  private readonly finalizing = new Set<string>();
  private started = false;

  constructor(server: ServerContext) {
    this.server = server;
  }

  start(): void {
    if (this.started) return;
    this.started = true;
    this.server.environment.spawn(this.follow());
  }

  /** Whether the definition of a kind is being deleted, so that nothing new may be created. */
  isTerminating(kind: ServedKind): boolean {
    return this.terminating.has(`${kind.resource}.${kind.group}`);
  }

  private *follow(): Task<void> {
    for (;;) {
      const cache = this.server.cacheOf(kindNamed(this.server, 'apiextensions.k8s.io', 'v1', 'customresourcedefinitions'));
      yield* cache.untilReady();
      yield (resolve) => {
        cache.watchWithInitialState(
          {
            send: (event) => {
              const definition = event.object as unknown as CustomResourceDefinition;
              if (event.type === 'DELETED') this.forget(definition.metadata.name ?? '');
              else if (event.type !== 'BOOKMARK' && event.type !== 'ERROR') this.see(definition);
            },
            closed: () => resolve(undefined),
          },
          { namespace: undefined, selection: everything, bookmarks: false, afterRevision: 0, convert: undefined },
          false,
        );
      };
      yield* sleep(this.server.environment, retryUs);
    }
  }

  private forget(name: string): void {
    for (const kind of this.served.get(name) ?? []) this.server.registry.remove(kind);
    this.served.delete(name);
    this.terminating.delete(name);
    this.finalizing.delete(name);
  }

  private see(definition: CustomResourceDefinition): void {
    const name = definition.metadata.name ?? '';
    const { environment } = this.server;
    if (definition.metadata.deletionTimestamp !== undefined) {
      this.terminating.add(name);
      if (definition.metadata.finalizers?.includes(cleanupFinalizer)) environment.spawn(this.finalize(name));
    } else if (conditionOf(definition, 'Established')?.status !== 'True' || conditionOf(definition, 'NamesAccepted')?.status !== 'True') {
      environment.spawn(this.establish(name));
    }
    if (conditionOf(definition, 'Established')?.status !== 'True') return;
    for (const kind of this.served.get(name) ?? []) this.server.registry.remove(kind);
    const kinds = definition.spec.versions
      .filter((version) => version.served)
      .map((version) => this.server.registry.addCustom(customKind(definition, version)));
    this.served.set(name, kinds);
  }

  private *establish(name: string): Task<void> {
    const kind = kindNamed(this.server, 'apiextensions.k8s.io', 'v1', 'customresourcedefinitions');
    try {
      yield* guaranteedUpdate(
        this.server,
        { kind, key: keyOf(kind, '', name), name, dryRun: false },
        // biome-ignore lint/correctness/useYield: a task that answers at once
        function* (this: CustomResources, existing: UntypedObject | undefined): Task<UntypedObject> {
          const next = this.accepted(existing as unknown as CustomResourceDefinition) as unknown as UntypedObject;
          return trackLoopback(this.server, kind, existing as UntypedObject, next);
        }.bind(this),
      );
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }

  /** Names are accepted unless another definition of the group has them. */
  private accepted(definition: CustomResourceDefinition): CustomResourceDefinition {
    const now = formatTime(this.server.environment.now());
    const { accepted, conflict } = this.acceptableNames(definition);
    const named: Condition =
      conflict === undefined
        ? { type: 'NamesAccepted', status: 'True', lastTransitionTime: now, reason: 'NoConflicts', message: 'no conflicts found' }
        : { type: 'NamesAccepted', status: 'False', lastTransitionTime: now, ...conflict };
    const established: Condition =
      conflict === undefined
        ? {
            type: 'Established',
            status: 'True',
            lastTransitionTime: now,
            reason: 'InitialNamesAccepted',
            message: 'the initial names have been accepted',
          }
        : { type: 'Established', status: 'False', lastTransitionTime: now, reason: 'NotAccepted', message: 'not all names are accepted' };
    const before = conditionOf(definition, 'Established');
    const conditions = [named, before?.status === 'True' ? before : established];
    const storedVersions = definition.status?.storedVersions ?? [];
    return {
      ...definition,
      status: { ...definition.status, conditions, acceptedNames: accepted, storedVersions },
    } as unknown as CustomResourceDefinition;
  }

  /** The names that may be had, and the last conflict: upstream naming controller's calculateNamesAndConditions. */
  private acceptableNames(definition: CustomResourceDefinition): {
    readonly accepted: CustomResourceDefinition['spec']['names'];
    readonly conflict: NameConflict | undefined;
  } {
    const { group, names } = definition.spec;
    const resources = new Set<string>();
    const kindNames = new Set<string>();
    for (const [other, kinds] of this.served) {
      if (other === definition.metadata.name) continue;
      for (const kind of kinds) {
        if (kind.group !== group) continue;
        for (const name of [kind.resource, kind.singular, ...kind.shortNames]) resources.add(name);
        kindNames.add(kind.kind).add(`${kind.kind}List`);
      }
    }
    let conflict: NameConflict | undefined;
    const isFree = (name: string, taken: ReadonlySet<string>, reason: string): boolean => {
      if (!taken.has(name)) return true;
      conflict = { reason, message: `${JSON.stringify(name)} is already in use` };
      return false;
    };
    const before = definition.status?.acceptedNames ?? { plural: '', kind: '' };
    const singular = names.singular ?? '';
    const listKind = names.listKind ?? '';
    const plural = isFree(names.plural, resources, 'PluralConflict') ? names.plural : before.plural;
    const ownSingular = isFree(singular, resources, 'SingularConflict') ? singular : before.singular;
    const shortNames = (names.shortNames ?? []).every((name) => isFree(name, resources, 'ShortNamesConflict'))
      ? names.shortNames
      : before.shortNames;
    const kind = isFree(names.kind, kindNames, 'KindConflict') ? names.kind : before.kind;
    const ownListKind = isFree(listKind, kindNames, 'ListKindConflict') ? listKind : before.listKind;
    const accepted = {
      plural,
      kind,
      ...(ownSingular ? { singular: ownSingular } : {}),
      ...(shortNames === undefined ? {} : { shortNames }),
      ...(ownListKind ? { listKind: ownListKind } : {}),
      ...(names.categories === undefined ? {} : { categories: names.categories }),
    };
    return { accepted, conflict };
  }

  /** Deletes the objects of a terminating definition; when none is left, its finalizer goes. */
  private *finalize(name: string): Task<void> {
    const definitions = kindNamed(this.server, 'apiextensions.k8s.io', 'v1', 'customresourcedefinitions');
    if (this.finalizing.has(name)) return;
    this.finalizing.add(name);
    yield* this.markInProgress(definitions, name);
    for (;;) {
      const kinds = this.served.get(name) ?? [];
      const [kind] = kinds;
      try {
        if (kind !== undefined && (yield* this.deleteObjects(kind)) > 0) {
          yield* sleep(this.server.environment, retryUs);
          continue;
        }
        yield* guaranteedUpdate(
          this.server,
          { kind: definitions, key: keyOf(definitions, '', name), name, dryRun: false },
          function* (existing) {
            const object = existing as UntypedObject;
            const { finalizers = [], ...metadata } = object.metadata;
            const kept = finalizers.filter((finalizer) => finalizer !== cleanupFinalizer);
            const next = { ...object, metadata: kept.length > 0 ? { ...metadata, finalizers: kept } : metadata };
            return kept.length === 0 ? { remove: next } : next;
          },
        );
        return;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (error.status.reason === 'NotFound') return;
        yield* sleep(this.server.environment, retryUs);
      }
    }
  }

  private *markInProgress(kind: ServedKind, name: string): Task<void> {
    const { server } = this;
    try {
      yield* guaranteedUpdate(server, { kind, key: keyOf(kind, '', name), name, dryRun: false }, function* (existing) {
        const definition = existing as unknown as CustomResourceDefinition;
        const others = ((definition.status?.conditions ?? []) as readonly Condition[]).filter(
          (condition) => condition.type !== 'Terminating',
        );
        const condition = {
          type: 'Terminating',
          status: 'True',
          lastTransitionTime: formatTime(server.environment.now()),
          reason: 'InstanceDeletionInProgress',
          message: 'CustomResource deletion is in progress',
        };
        const next = { ...definition, status: { ...definition.status, conditions: [...others, condition] } } as unknown as UntypedObject;
        return trackLoopback(server, kind, existing as UntypedObject, next);
      });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }

  private *deleteObjects(kind: ServedKind): Task<number> {
    const listed = yield* this.server.storage.list(prefixOf(kind));
    if (isStorageFailure(listed)) return 1;
    let left = 0;
    for (const entry of listed.entries) {
      const object = entry.value.at(entry.modRevision);
      const scope: RequestScope = {
        server: this.server,
        request: { verb: 'delete', group: kind.group, version: kind.version, resource: kind.resource, user },
        options: {},
        kind,
        namespace: object.metadata.namespace ?? '',
        dryRun: false,
        context: this.server.kindContext(),
        warnings: [],
      };
      try {
        const outcome = yield* deleteObject(scope, kind, object.metadata.name ?? '', {});
        if (!outcome.gone) left++;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (error.status.reason !== 'NotFound') left++;
      }
    }
    return left;
  }
}
