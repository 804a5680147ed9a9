import type { ApiObject, UntypedObject } from '../../../model/api/object.ts';
import type { Write } from './history.ts';
import type { Recording } from './recording.ts';

const safe = '[bcdfghjklmnpqrstvwxz2456789]{5}';

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function controllerName(object: UntypedObject): { readonly kind: string; readonly name: string } | undefined {
  const reference = object.metadata.ownerReferences?.find((owner) => owner.controller === true);
  return reference === undefined ? undefined : { kind: reference.kind, name: reference.name };
}

/**
 * Turns names, hashes, uids and addresses of a run into those of the recording: the second object created with generateName `web-abc-` is
 * `web-abc-<2>`, hashes are mapped one to one in the order in which their owners appeared.
 */
export class Naming {
  /** Canonical names by kind/namespace/name. */
  readonly #names = new Map<string, string>();
  readonly #counters = new Map<string, number>();
  readonly #prefixes = new Set<string>();
  readonly #hashes = new Map<string, string>();
  readonly #uids = new Map<string, string>();
  readonly #addresses = new Map<string, string>();
  readonly #recordedHashes: { readonly [owner: string]: string[] };
  #pattern: RegExp | undefined;

  constructor(recording: Recording) {
    this.#recordedHashes = recordedHashes(recording);
  }

  /** Takes note of an object, in the order of the writes. */
  note(write: Write): void {
    const { object } = write;
    if (object === undefined) return;
    const { metadata } = object;
    const name = metadata.name ?? '';
    const id = `${object.kind}/${metadata.namespace ?? ''}/${name}`;
    if (!this.#names.has(id) || this.#uids.get(metadata.uid ?? '') === undefined) {
      this.#pattern = undefined;
      this.#names.set(id, this.#canonicalName(object, name));
      this.#uids.set(metadata.uid ?? '', `${object.kind}/${name}`);
      this.#noteHash(object, name);
    }
    this.#noteAddresses(object, name);
  }

  #canonicalName(object: UntypedObject, name: string): string {
    const owner = controllerName(object);
    let prefix: string | undefined;
    const generate = object.metadata.generateName;
    if (generate !== undefined && owner?.kind !== 'StatefulSet' && name.startsWith(generate)) prefix = generate;
    else if (object.kind === 'Job' && owner?.kind === 'CronJob') prefix = `${owner.name}-`;
    if (generate !== undefined) this.#prefixes.add(generate);
    if (object.kind === 'ReplicaSet' || object.kind === 'Job') this.#prefixes.add(`${name}-`);
    if (prefix === undefined) return name;
    const key = `${object.kind}/${object.metadata.namespace ?? ''}/${prefix}`;
    const count = (this.#counters.get(key) ?? 0) + 1;
    this.#counters.set(key, count);
    return `${prefix}<${count}>`;
  }

  #noteHash(object: UntypedObject, name: string): void {
    const labels = object.metadata.labels;
    let hash: string | undefined;
    if (object.kind === 'ReplicaSet') hash = labels?.['pod-template-hash'];
    if (object.kind === 'ControllerRevision') hash = labels?.['controller.kubernetes.io/hash'] ?? labels?.['controller-revision-hash'];
    if (hash === undefined || this.#hashes.has(hash) || !name.endsWith(`-${hash}`)) return;
    const owner = `${object.kind}/${name.slice(0, -hash.length - 1)}`;
    const recorded = this.#recordedHashes[owner]?.shift();
    if (recorded !== undefined) this.#hashes.set(hash, recorded);
  }

  #noteAddresses(object: UntypedObject, name: string): void {
    if (object.kind === 'Pod') {
      const status = object.status as { readonly podIP?: string } | undefined;
      const spec = object.spec as { readonly hostNetwork?: boolean } | undefined;
      if (status?.podIP !== undefined && spec?.hostNetwork !== true) this.#address(status.podIP, name);
    }
    if (object.kind === 'Service') {
      const ip = (object.spec as { readonly clusterIP?: string } | undefined)?.clusterIP;
      if (ip !== undefined && ip !== '' && ip !== 'None') this.#address(ip, `Service/${name}`);
    }
    if (object.kind === 'Node') {
      const addresses = (
        object.status as { readonly addresses?: readonly { readonly type: string; readonly address: string }[] } | undefined
      )?.addresses;
      for (const entry of addresses ?? []) if (entry.type === 'InternalIP') this.#address(entry.address, `Node/${name}`);
    }
  }

  #address(ip: string, name: string): void {
    if (this.#addresses.has(ip)) return;
    this.#addresses.set(ip, name);
    this.#pattern = undefined;
  }

  /** Gives the objects of these canonical keys each other's names: which of several equal pods came first means nothing. */
  relabel(kind: string, namespace: string, renames: ReadonlyMap<string, string>): void {
    const before = new Map<string, string>();
    for (const [id] of this.#names) {
      if (!id.startsWith(`${kind}/${namespace}/`)) continue;
      const canonical = this.keyOfId(id);
      if (renames.has(canonical)) before.set(canonical, id);
    }
    const own = new Map([...before].map(([canonical, id]) => [canonical, this.#names.get(id) as string]));
    for (const [canonical, id] of before) this.#names.set(id, own.get(renames.get(canonical) as string) ?? (this.#names.get(id) as string));
    this.#namesCache = undefined;
  }

  /** Gives one object the name that the recording has for it; whatever else bore that name (it is gone by now) loses it. */
  assign(object: ApiObject, canonical: string): void {
    const id = `${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`;
    const kindAndNamespace = `${object.kind}/${object.metadata.namespace ?? ''}/`;
    for (const [other, name] of this.#names)
      if (name === canonical && other !== id && other.startsWith(kindAndNamespace)) this.#names.set(other, `${canonical} of another`);
    this.#names.set(id, canonical);
    this.#pattern = undefined;
    this.#namesCache = undefined;
  }

  keyOfId(id: string): string {
    const kind = id.slice(0, id.indexOf('/'));
    return `${kind}/${this.#withHashes(this.#nested(this.#names.get(id) ?? id.slice(id.lastIndexOf('/') + 1)))}`;
  }

  /** `Pod/web-abc-<2>` of an object. */
  keyOf(object: ApiObject): string {
    const id = `${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`;
    return `${object.kind}/${this.#withHashes(this.#nested(this.#names.get(id) ?? object.metadata.name ?? ''))}`;
  }

  /** A name that was generated from another generated name: pods of the jobs of a cron job. */
  #nested(name: string): string {
    const match = /^(.*)-<(\d+)>$/.exec(name);
    return match === null ? name : `${this.text(match[1] as string)}-<${match[2]}>`;
  }

  #withHashes(text: string): string {
    let out = text;
    for (const [own, recorded] of this.#hashes)
      if (out.includes(own)) out = out.replaceAll(new RegExp(`(?<![a-z0-9])${own}(?![a-z0-9])`, 'g'), recorded);
    return out;
  }

  /** A text with every name, hash, uid and address replaced. */
  text(text: string): string {
    if (this.#pattern === undefined) {
      const words = new Set<string>();
      for (const [id, canonical] of this.#names) {
        const name = id.slice(id.lastIndexOf('/') + 1);
        if (name !== canonical) words.add(name);
      }
      for (const uid of this.#uids.keys()) if (uid !== '') words.add(uid);
      for (const ip of this.#addresses.keys()) words.add(ip);
      const alternatives = [...words].sort((a, b) => b.length - a.length || (a < b ? -1 : 1)).map(escaped);
      this.#pattern = new RegExp(`(?<![a-z0-9.])(?:${alternatives.length === 0 ? '(?!)' : alternatives.join('|')})(?![a-z0-9])`, 'g');
    }
    const byName = this.#byName();
    let out = text.replace(this.#pattern, (word) => {
      const uid = this.#uids.get(word);
      if (uid !== undefined) return `<uid ${this.#canonicalOf(uid)}>`;
      const ip = this.#addresses.get(word);
      if (ip !== undefined) return `<ip ${ip.includes('/') ? ip : this.#withHashes(this.#nested(byName.get(ip) ?? ip))}>`;
      return this.#nested(byName.get(word) ?? word);
    });
    for (const prefix of this.#prefixes) {
      if (out.includes(prefix)) out = out.replaceAll(new RegExp(`(?<![a-z0-9])${escaped(prefix)}${safe}(?![a-z0-9])`, 'g'), `${prefix}<?>`);
    }
    return this.#withHashes(out);
  }

  #canonicalOf(kindAndName: string): string {
    const at = kindAndName.indexOf('/');
    const name = kindAndName.slice(at + 1);
    return `${kindAndName.slice(0, at)}/${this.#withHashes(this.#nested(this.#byName().get(name) ?? name))}`;
  }

  #namesCache: Map<string, string> | undefined;
  #namesCacheSize = -1;
  #byName(): Map<string, string> {
    if (this.#namesCache === undefined || this.#namesCacheSize !== this.#names.size) {
      this.#namesCache = new Map();
      for (const [id, canonical] of this.#names) {
        const name = id.slice(id.lastIndexOf('/') + 1);
        if (name !== canonical) this.#namesCache.set(name, canonical);
      }
      this.#namesCacheSize = this.#names.size;
    }
    return this.#namesCache;
  }
}

/** Hashes of the recording by owner, in the order in which the objects that carry them appeared. */
function recordedHashes(recording: Recording): { readonly [owner: string]: string[] } {
  const found: { owner: string; hash: string; at: number }[] = [];
  const seen = new Set<string>();
  for (const [key, fields] of Object.entries(recording.stories)) {
    const [kind, name = ''] = key.split('/');
    if (kind !== 'ReplicaSet' && kind !== 'ControllerRevision') continue;
    const at = Number((fields.exists ?? fields['~exists'])?.[0]?.[0] ?? 0);
    const dash = name.lastIndexOf('-');
    const hash = name.slice(dash + 1);
    if (dash <= 0 || !/^[bcdfghjklmnpqrstvwxz2456789]{6,10}$/.test(hash)) continue;
    const owner = `${kind}/${name.slice(0, dash)}`;
    const revision = Number(fields.revision?.[0]?.[1] ?? 0);
    found.push({ owner, hash, at: at + revision * 1e-6 });
    seen.add(`${owner}/${hash}`);
  }
  found.sort((a, b) => a.at - b.at);
  const out: { [owner: string]: string[] } = {};
  for (const { owner, hash } of found) {
    out[owner] ??= [];
    out[owner].push(hash);
  }
  return out;
}
