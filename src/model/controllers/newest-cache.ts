import type { ApiObject } from '../api/object.ts';
import { objectKey } from '../client/reflector.ts';

/** Objects as the newer of what the informer brought and what we wrote ourselves: upstream's own caches. */
export class NewestCache<T extends ApiObject> {
  readonly #objects = new Map<string, T>();
  #sorted: readonly T[] | undefined;

  /** False when we know a newer version already. */
  put(object: T): boolean {
    const key = objectKey(object);
    const known = this.#objects.get(key);
    if (
      known !== undefined &&
      known.metadata.uid === object.metadata.uid &&
      Number(known.metadata.resourceVersion) > Number(object.metadata.resourceVersion)
    )
      return false;
    this.#objects.set(key, object);
    this.#sorted = undefined;
    return true;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  delete(key: string): void {
    this.#objects.delete(key);
    this.#sorted = undefined;
  }

  list(): readonly T[] {
    this.#sorted ??= [...this.#objects.keys()].sort().map((key) => this.#objects.get(key) as T);
    return this.#sorted;
  }
}
