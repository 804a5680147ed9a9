import type { UntypedObject } from '../../../model/api/object.ts';
import type { MemoryStorage } from '../../../model/apiserver/memory-storage.ts';
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

  constructor(world: World, storage: MemoryStorage) {
    storage.watch('/registry/', 0, {
      events: (events) => {
        for (const event of events) {
          const last = this.current.get(event.key);
          const object = event.type === 'put' ? event.value.at(event.modRevision) : undefined;
          if (object === undefined) this.current.delete(event.key);
          else this.current.set(event.key, object);
          this.writes.push({ atUs: world.now, key: event.key, object, last });
        }
      },
      progress: () => {},
      closed: () => {},
    });
  }
}
