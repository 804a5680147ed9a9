import type { ApiObject } from '../api/object.ts';
import type { Task } from '../../sim/task.ts';
import { Informer } from './informer.ts';
import type { ReflectorOptions } from './reflector.ts';
import type { Resource } from './resources.ts';
import type { ApiTransport } from './transport.ts';

/** One informer for each resource and selector of a process, shared by everything in it. */
export class InformerFactory {
  readonly #transport: ApiTransport;
  readonly #defaults: ReflectorOptions;
  readonly #informers = new Map<string, Informer<ApiObject>>();
  #started = false;

  /** `defaults` apply to every informer: the gate WatchListClient. */
  constructor(transport: ApiTransport, defaults: ReflectorOptions = {}) {
    this.#transport = transport;
    this.#defaults = defaults;
  }

  /** The informer of that resource; asked for after {@link start}, it starts at once. */
  informer<T extends ApiObject>(resource: Resource<T>, options: ReflectorOptions = {}): Informer<T> {
    const key = [resource.group, resource.version, resource.resource, options.namespace, options.labelSelector, options.fieldSelector].join(
      '|',
    );
    let informer = this.#informers.get(key);
    if (informer === undefined) {
      informer = new Informer<T>(this.#transport, resource, { ...this.#defaults, ...options }) as unknown as Informer<ApiObject>;
      this.#informers.set(key, informer);
      if (this.#started) informer.start();
    }
    return informer as unknown as Informer<T>;
  }

  start(): void {
    this.#started = true;
    for (const key of [...this.#informers.keys()].sort()) this.#informers.get(key)?.start();
  }

  /** Stops all watches: a program that goes on living without its informers. */
  stop(): void {
    this.#started = false;
    for (const key of [...this.#informers.keys()].sort()) this.#informers.get(key)?.stop();
    this.#informers.clear();
  }

  /** Waits until every informer asked for so far has synced. */
  *waitForSync(): Task<void> {
    for (const key of [...this.#informers.keys()].sort()) yield* (this.#informers.get(key) as Informer<ApiObject>).waitForSync();
  }
}
