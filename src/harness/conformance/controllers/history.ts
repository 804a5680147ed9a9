import type { UntypedObject } from '../../../model/api/object.ts';
import type { MemoryStorage } from '../../../model/apiserver/memory-storage.ts';
import type { Facts } from '../../../model/facts.ts';
import type { World } from '../../../sim/world.ts';

/** One write that the store took. */
export interface Write {
  readonly atUs: number;
  readonly key: string;
  /** Undefined: the object is gone. */
  readonly object: UntypedObject | undefined;
  /** The last state of an object that is gone. */
  readonly last: UntypedObject | undefined;
}

/** Everything that was ever written, in order: what stories, outcomes and events are read from. */
export class History {
  readonly writes: Write[] = [];
  readonly current = new Map<string, UntypedObject>();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** From a store without etcd. */
  static ofStorage(world: World, storage: MemoryStorage): History {
    const history = new History(world);
    storage.watch('/registry/', 0, {
      events: (events) => {
        for (const event of events) history.#take(event.key, event.type === 'put' ? event.value.at(event.modRevision) : undefined);
      },
      progress: () => {},
      closed: () => {},
    });
    return history;
  }

  /** From what a cluster's etcd committed. */
  static ofFacts(world: World, facts: Facts): History {
    const history = new History(world);
    facts.objectChanged.subscribe((_revision, key, object) => {
      if (key.startsWith('/registry/')) history.#take(key, object as UntypedObject | undefined);
    });
    return history;
  }

  #take(key: string, object: UntypedObject | undefined): void {
    const last = this.current.get(key);
    if (object === undefined) this.current.delete(key);
    else this.current.set(key, object);
    this.writes.push({ atUs: this.#world.now, key, object, last });
  }

  /** All objects that are there now, by key. */
  objects(): readonly UntypedObject[] {
    return [...this.current.keys()].sort().map((key) => this.current.get(key) as UntypedObject);
  }
}
