import type { ApiObject, OwnerReference } from '../api/object.ts';
import { apiVersionOf, type Resource } from '../client/resources.ts';

export const FINALIZER_FOREGROUND = 'foregroundDeletion';
export const FINALIZER_ORPHAN = 'orphan';

/** Which object a node of the graph stands for: upstream objectReference. */
export interface ObjectIdentity {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** An object, or one that only its dependents tell of (virtual). */
export interface GraphNode {
  identity: ObjectIdentity;
  readonly dependents: Map<string, GraphNode>;
  owners: readonly OwnerReference[];
  beingDeleted: boolean;
  deletingDependents: boolean;
  virtual: boolean;
}

/** What the graph asks of the workers. */
export interface GraphActions {
  attemptToDelete(node: GraphNode): void;
  attemptToOrphan(node: GraphNode): void;
  invalidOwnerNamespace(object: ApiObject, reference: OwnerReference): void;
}

/** Uids of owners known to be gone; bounded like upstream's LRU of 500. */
export class AbsentOwners {
  readonly #keys = new Set<string>();

  add(identity: string): void {
    this.#keys.delete(identity);
    this.#keys.add(identity);
    if (this.#keys.size > 500) this.#keys.delete(this.#keys.values().next().value as string);
  }

  has(identity: string): boolean {
    return this.#keys.has(identity);
  }
}

/** The key under which an owner is remembered as absent, as seen from a dependent. */
export function absentKey(reference: OwnerReference, namespace: string): string {
  return `${reference.apiVersion}|${reference.kind}|${namespace}|${reference.name}|${reference.uid}`;
}

function identityKey(identity: ObjectIdentity): string {
  return `${identity.apiVersion}|${identity.kind}|${identity.namespace}|${identity.name}|${identity.uid}`;
}

export function hasFinalizer(object: ApiObject, finalizer: string): boolean {
  return object.metadata.finalizers?.includes(finalizer) === true;
}

/** Who owns whom, kept by what the informers bring: pkg/controller/garbagecollector/graph_builder.go. */
export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>();
  readonly absentOwners = new AbsentOwners();
  readonly #actions: GraphActions;
  readonly #isNamespaced: (apiVersion: string, kind: string) => boolean;

  constructor(actions: GraphActions, isNamespaced: (apiVersion: string, kind: string) => boolean) {
    this.#actions = actions;
    this.#isNamespaced = isNamespaced;
  }

  node(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** An object was added or changed; `previous` is what the informer had before. */
  observed(identity: ObjectIdentity, object: ApiObject, previous: ApiObject | undefined): void {
    const uid = object.metadata.uid ?? '';
    const owners = object.metadata.ownerReferences ?? [];
    const existing = this.#nodes.get(uid);
    if (existing === undefined) {
      const node: GraphNode = {
        identity,
        dependents: new Map(),
        owners,
        beingDeleted: object.metadata.deletionTimestamp !== undefined,
        deletingDependents: object.metadata.deletionTimestamp !== undefined && hasFinalizer(object, FINALIZER_FOREGROUND),
        virtual: false,
      };
      this.#nodes.set(uid, node);
      this.#addToOwners(node, owners, object);
      this.#transitions(previous, object, node);
      return;
    }
    if (existing.virtual) {
      // Dependents whose reference does not fit the real object have a wrong owner: they must be looked at.
      if (identityKey(identity) !== identityKey(existing.identity)) {
        for (const dependent of existing.dependents.values()) {
          if (!dependent.owners.some((owner) => owner.uid === uid && this.#fits(owner, dependent, identity)))
            this.#actions.attemptToDelete(dependent);
        }
        existing.identity = identity;
      }
      existing.virtual = false;
    }
    if (existing.owners !== owners) this.#ownersChanged(existing, owners, object);
    if (object.metadata.deletionTimestamp !== undefined) existing.beingDeleted = true;
    this.#transitions(previous, object, existing);
  }

  /** An object is gone, for real or (virtually) because a live read did not find it. */
  deleted(identity: ObjectIdentity, isVirtualEvent: boolean): void {
    const node = this.#nodes.get(identity.uid);
    if (node === undefined) return;
    if (isVirtualEvent && identityKey(node.identity) !== identityKey(identity)) {
      // The coordinates asked for do not exist, but dependents with other coordinates may know better.
      this.#removeVirtualWithOtherIdentity(node, identity);
      return;
    }
    this.#nodes.delete(identity.uid);
    for (const owner of node.owners) this.#nodes.get(owner.uid)?.dependents.delete(identity.uid);
    if (node.dependents.size > 0) this.absentOwners.add(identityKey(node.identity));
    for (const dependent of sortedNodes(node.dependents)) this.#actions.attemptToDelete(dependent);
    for (const owner of node.owners) {
      const ownerNode = this.#nodes.get(owner.uid);
      if (ownerNode?.deletingDependents === true) this.#actions.attemptToDelete(ownerNode);
    }
  }

  #removeVirtualWithOtherIdentity(node: GraphNode, identity: ObjectIdentity): void {
    this.absentOwners.add(identityKey(identity));
    if (!node.virtual) return;
    for (const dependent of sortedNodes(node.dependents)) {
      if (dependent.owners.some((owner) => owner.uid === identity.uid && this.#fits(owner, dependent, identity)))
        this.#actions.attemptToDelete(dependent);
    }
    const alternative = sortedNodes(node.dependents)
      .flatMap((dependent) =>
        dependent.owners
          .filter((owner) => owner.uid === identity.uid)
          .map((owner) => this.#identityOfOwner(owner, dependent.identity.namespace)),
      )
      .find((other) => identityKey(other) !== identityKey(identity) && !this.absentOwners.has(identityKey(other)));
    if (alternative === undefined) {
      this.#nodes.delete(identity.uid);
      return;
    }
    node.identity = alternative;
    this.#actions.attemptToDelete(node);
  }

  #addToOwners(node: GraphNode, owners: readonly OwnerReference[], object: ApiObject): void {
    for (const owner of owners) {
      let ownerNode = this.#nodes.get(owner.uid);
      const identity = this.#identityOfOwner(owner, node.identity.namespace);
      let isNew = false;
      if (ownerNode === undefined) {
        ownerNode = { identity, dependents: new Map(), owners: [], beingDeleted: false, deletingDependents: false, virtual: true };
        this.#nodes.set(owner.uid, ownerNode);
        isNew = true;
      }
      ownerNode.dependents.set(node.identity.uid, node);
      if (isNew) this.#actions.attemptToDelete(ownerNode);
      else if (!ownerNode.virtual && !this.#fits(owner, node, ownerNode.identity)) {
        // The owner lives under other coordinates than the reference says.
        if (this.#isNamespaced(owner.apiVersion, owner.kind) && ownerNode.identity.namespace !== node.identity.namespace)
          this.#actions.invalidOwnerNamespace(object, owner);
        this.#actions.attemptToDelete(node);
      } else if (ownerNode.virtual && identityKey(ownerNode.identity) !== identityKey(identity)) this.#actions.attemptToDelete(node);
    }
  }

  #ownersChanged(node: GraphNode, next: readonly OwnerReference[], object: ApiObject): void {
    const before = new Map(node.owners.map((owner) => [owner.uid, owner]));
    const after = new Map(next.map((owner) => [owner.uid, owner]));
    const removed = node.owners.filter((owner) => !after.has(owner.uid));
    const added = next.filter((owner) => !before.has(owner.uid));
    const changed = next.filter((owner) => {
      const old = before.get(owner.uid);
      return old !== undefined && !sameReference(old, owner);
    });
    node.owners = next;
    if (removed.length + added.length + changed.length === 0) return;
    // Owners that wait in foreground deletion may have lost what blocked them.
    for (const owner of removed) if (owner.blockOwnerDeletion === true) this.#deleteIfWaiting(owner.uid);
    for (const owner of changed) {
      const blocked = before.get(owner.uid)?.blockOwnerDeletion === true;
      if (blocked && owner.blockOwnerDeletion !== true) this.#deleteIfWaiting(owner.uid);
    }
    this.#addToOwners(node, added, object);
    for (const owner of removed) this.#nodes.get(owner.uid)?.dependents.delete(node.identity.uid);
  }

  #deleteIfWaiting(uid: string): void {
    const owner = this.#nodes.get(uid);
    if (owner?.deletingDependents === true) this.#actions.attemptToDelete(owner);
  }

  #transitions(previous: ApiObject | undefined, object: ApiObject, node: GraphNode): void {
    if (starts(previous, object, FINALIZER_ORPHAN)) {
      this.#actions.attemptToOrphan(node);
      return;
    }
    if (starts(previous, object, FINALIZER_FOREGROUND)) {
      node.deletingDependents = true;
      for (const dependent of sortedNodes(node.dependents)) this.#actions.attemptToDelete(dependent);
      this.#actions.attemptToDelete(node);
    }
  }

  #identityOfOwner(owner: OwnerReference, namespace: string): ObjectIdentity {
    return {
      apiVersion: owner.apiVersion,
      kind: owner.kind,
      name: owner.name,
      uid: owner.uid,
      namespace: this.#isNamespaced(owner.apiVersion, owner.kind) ? namespace : '',
    };
  }

  #fits(owner: OwnerReference, dependent: GraphNode, identity: ObjectIdentity): boolean {
    return (
      owner.kind === identity.kind &&
      owner.name === identity.name &&
      groupOf(owner.apiVersion) === groupOf(identity.apiVersion) &&
      (identity.namespace === '' || identity.namespace === dependent.identity.namespace)
    );
  }
}

/** Dependents in a fixed order: by uid. */
export function sortedNodes(nodes: ReadonlyMap<string, GraphNode>): readonly GraphNode[] {
  if (nodes.size < 2) return [...nodes.values()];
  return [...nodes.keys()].sort().map((uid) => nodes.get(uid) as GraphNode);
}

/** Dependents that a foreground deletion waits for. */
export function blockingDependents(node: GraphNode): readonly GraphNode[] {
  return sortedNodes(node.dependents).filter((dependent) =>
    dependent.owners.some((owner) => owner.uid === node.identity.uid && owner.blockOwnerDeletion === true),
  );
}

/** The identity of an object of a resource; items of lists need not carry their type. */
export function identityOf(object: ApiObject, resource: Resource): ObjectIdentity {
  const { namespace = '', name = '', uid = '' } = object.metadata;
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, namespace, name, uid };
}

function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

/** Deletion under this finalizer begins with this change. */
function starts(previous: ApiObject | undefined, object: ApiObject, finalizer: string): boolean {
  if (object.metadata.deletionTimestamp === undefined || !hasFinalizer(object, finalizer)) return false;
  return previous === undefined || previous.metadata.deletionTimestamp === undefined || !hasFinalizer(previous, finalizer);
}

function sameReference(a: OwnerReference, b: OwnerReference): boolean {
  return (
    a.apiVersion === b.apiVersion &&
    a.kind === b.kind &&
    a.name === b.name &&
    (a.controller ?? false) === (b.controller ?? false) &&
    (a.blockOwnerDeletion ?? false) === (b.blockOwnerDeletion ?? false)
  );
}
