import type { ApiObject } from '../api/object.ts';

/** Values under which an object is found in an index. */
export type IndexFunction<T> = (object: T) => readonly string[];

/** Objects of one bucket, with their order computed when somebody asks. */
class Bucket<T> {
  readonly byKey = new Map<string, T>();
  /** The keys in order; survives changes of the objects. */
  #keys: readonly string[] | undefined;
  #sorted: readonly T[] | undefined;

  set(key: string, object: T): void {
    const before = this.byKey.size;
    this.byKey.set(key, object);
    if (this.byKey.size !== before) this.#keys = undefined;
    this.#sorted = undefined;
  }

  delete(key: string): void {
    if (!this.byKey.delete(key)) return;
    this.#keys = undefined;
    this.#sorted = undefined;
  }

  /** In code-unit order of the keys. The same array until something changes; not to be changed. */
  list(): readonly T[] {
    if (this.#sorted === undefined) {
      this.#keys ??= [...this.byKey.keys()].sort();
      this.#sorted = this.#keys.map((key) => this.byKey.get(key) as T);
    }
    return this.#sorted;
  }
}

interface Index<T> {
  readonly values: IndexFunction<T>;
  readonly buckets: Map<string, Bucket<T>>;
}

/** The local copy of a resource with indexes: client-go's thread-safe store. Every listing is in key order. */
export class Store<T extends ApiObject> {
  readonly #all = new Bucket<T>();
  readonly #indexes = new Map<string, Index<T>>();

  get size(): number {
    return this.#all.byKey.size;
  }

  get(key: string): T | undefined {
    return this.#all.byKey.get(key);
  }

  list(): readonly T[] {
    return this.#all.list();
  }

  /** Keys in no order that may decide anything. */
  keys(): Iterable<string> {
    return this.#all.byKey.keys();
  }

  byIndex(index: string, value: string): readonly T[] {
    const found = this.#indexes.get(index);
    if (found === undefined) throw new Error(`Store.byIndex: no index ${index}; there are: ${[...this.#indexes.keys()].sort().join(', ')}`);
    return found.buckets.get(value)?.list() ?? [];
  }

  hasIndex(index: string): boolean {
    return this.#indexes.has(index);
  }

  addIndex(name: string, values: IndexFunction<T>): void {
    const index: Index<T> = { values, buckets: new Map() };
    this.#indexes.set(name, index);
    for (const [key, object] of this.#all.byKey) insert(index, key, object);
  }

  set(key: string, object: T): void {
    const before = this.#all.byKey.get(key);
    this.#all.set(key, object);
    for (const index of this.#indexes.values()) {
      if (before === undefined) insert(index, key, object);
      else replace(index, key, before, object);
    }
  }

  delete(key: string): void {
    const before = this.#all.byKey.get(key);
    if (before === undefined) return;
    this.#all.delete(key);
    for (const index of this.#indexes.values()) remove(index, key, before);
  }
}

function insert<T>(index: Index<T>, key: string, object: T): void {
  for (const value of index.values(object)) {
    let bucket = index.buckets.get(value);
    if (bucket === undefined) {
      bucket = new Bucket();
      index.buckets.set(value, bucket);
    }
    bucket.set(key, object);
  }
}

/** Most updates leave an object where it is: its bucket keeps its order. */
function replace<T>(index: Index<T>, key: string, before: T, object: T): void {
  const old = index.values(before);
  const next = index.values(object);
  if (old.length === 1 && next.length === 1 && old[0] === next[0]) {
    index.buckets.get(old[0] as string)?.set(key, object);
    return;
  }
  remove(index, key, before);
  insert(index, key, object);
}

function remove<T>(index: Index<T>, key: string, object: T): void {
  for (const value of index.values(object)) {
    const bucket = index.buckets.get(value);
    if (bucket === undefined) continue;
    bucket.delete(key);
    if (bucket.byKey.size === 0) index.buckets.delete(value);
  }
}
