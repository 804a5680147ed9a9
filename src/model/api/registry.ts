import { customResourceDefinition } from './custom/definition-kind.ts';
import type { Kind } from './kind.ts';
import { resourceRows } from './resource-rows.ts';
import { type StructType, typeOfKind } from './schema.ts';

/** A kind as served: its rules and the structural facts of its type. */
export interface ServedKind extends Kind {
  /** Undefined for custom resources and opaque kinds. */
  readonly type: StructType | undefined;
  /** 'v1' or 'apps/v1'. */
  readonly apiVersion: string;
  /** Key of the store that holds its objects; versions and groups that share objects share it. */
  readonly storeKey: string;
}

export function apiVersionOf(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}

/** The kinds that an API server serves, by resource and by kind. Built-in ones are fixed; custom ones come and go. */
export class KindRegistry {
  private readonly byResource = new Map<string, ServedKind>();
  private readonly byKind = new Map<string, ServedKind>();
  /** The same by plain name, with few kinds each: a request finds its kind without building a key. */
  private readonly named = { resource: new Map<string, readonly ServedKind[]>(), kind: new Map<string, readonly ServedKind[]>() };
  private readonly custom = new Set<string>();

  /** Rows for every built-in resource, with the given kinds in place of the rows of the same name. */
  constructor(kinds: readonly Kind[] = []) {
    for (const row of resourceRows) this.add(row);
    this.add(customResourceDefinition);
    const seen = new Set<string>();
    for (const kind of kinds) {
      const key = `${kind.group}/${kind.version}/${kind.resource}`;
      if (seen.has(key)) throw new Error(`kind registry: ${key} is registered twice`);
      seen.add(key);
      this.add(kind);
    }
  }

  add(kind: Kind): ServedKind {
    const served: ServedKind = {
      ...kind,
      type: typeOfKind(kind.group, kind.version, kind.kind),
      apiVersion: apiVersionOf(kind.group, kind.version),
      storeKey: kind.storagePath,
    };
    this.byResource.set(`${kind.group}/${kind.version}/${kind.resource}`, served);
    this.byKind.set(`${kind.group}/${kind.version}/${kind.kind}`, served);
    this.forgetNamed(kind);
    for (const field of ['resource', 'kind'] as const)
      this.named[field].set(kind[field], [...(this.named[field].get(kind[field]) ?? []), served]);
    return served;
  }

  private forgetNamed(kind: Kind): void {
    for (const field of ['resource', 'kind'] as const) {
      const others = this.named[field].get(kind[field])?.filter(({ group, version }) => group !== kind.group || version !== kind.version);
      if (others !== undefined) this.named[field].set(kind[field], others);
    }
  }

  /** Adds a kind that a custom resource definition declares, or takes the place of its earlier form. */
  addCustom(kind: Kind): ServedKind {
    this.custom.add(`${kind.group}/${kind.version}/${kind.resource}`);
    return this.add(kind);
  }

  /** Kinds of custom resource definitions, sorted. */
  customKinds(): readonly ServedKind[] {
    return [...this.custom].sort().map((key) => this.byResource.get(key) as ServedKind);
  }

  remove(kind: Kind): void {
    this.custom.delete(`${kind.group}/${kind.version}/${kind.resource}`);
    this.byResource.delete(`${kind.group}/${kind.version}/${kind.resource}`);
    this.byKind.delete(`${kind.group}/${kind.version}/${kind.kind}`);
    this.forgetNamed(kind);
  }

  resource(group: string, version: string, resource: string): ServedKind | undefined {
    return ofVersion(this.named.resource.get(resource), group, version);
  }

  kind(group: string, version: string, kind: string): ServedKind | undefined {
    return ofVersion(this.named.kind.get(kind), group, version);
  }

  /** Of kinds that share their objects, the one in whose version they are stored. */
  storageKind(kind: ServedKind): ServedKind {
    if (kind.kind === 'Event') return this.resource('', 'v1', 'events') ?? kind;
    if (kind.kind === 'HorizontalPodAutoscaler') return this.resource('autoscaling', 'v2', kind.resource) ?? kind;
    return kind;
  }

  /** The kind of an object. */
  kindOf(object: { readonly kind: string; readonly apiVersion?: string }): ServedKind | undefined {
    const version = object.apiVersion ?? '';
    const slash = version.indexOf('/');
    return slash < 0 ? this.kind('', version, object.kind) : this.kind(version.slice(0, slash), version.slice(slash + 1), object.kind);
  }

  hasBuiltInGroup(group: string): boolean {
    for (const kind of this.byResource.values()) if (kind.group === group && kind.custom === undefined) return true;
    return false;
  }

  hasGroupVersion(group: string, version: string): boolean {
    for (const kind of this.byResource.values()) if (kind.group === group && kind.version === version) return true;
    return false;
  }

  /** All kinds, sorted by group, version and resource. */
  all(): readonly ServedKind[] {
    return [...this.byResource.keys()].sort().map((key) => this.byResource.get(key) as ServedKind);
  }
}

function ofVersion(kinds: readonly ServedKind[] | undefined, group: string, version: string): ServedKind | undefined {
  if (kinds === undefined) return undefined;
  for (let i = 0; i < kinds.length; i++) {
    const kind = kinds[i] as ServedKind;
    if (kind.version === version && kind.group === group) return kind;
  }
  return undefined;
}
