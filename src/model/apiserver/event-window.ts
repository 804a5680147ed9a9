import type { UntypedObject } from '../api/object.ts';
import type { WatchEvent } from '../api/request.ts';

/** One change as the watch cache keeps it: upstream watchCacheEvent. */
export interface CacheEvent {
  readonly revision: number;
  readonly key: string;
  /** The state after, or for a deletion the last state under the deletion's resourceVersion. */
  readonly object: UntypedObject;
  readonly previous: UntypedObject | undefined;
  readonly deleted: boolean;
  readonly atUs: number;
  /** The watch events made of this change so far. */
  readonly shared: { added: WatchEvent | undefined; modified: WatchEvent | undefined; deleted: WatchEvent | undefined };
}

/** Upstream `watch_cache.go`: the window starts at 100 events and doubles while it covers less than eventFreshDuration. */
const capacityMin = 100;
const capacityMax = 100 * 1024;
const eventFreshUs = 75 * 1_000_000;

/** The last events of one resource, a ring that grows and shrinks with the rate of change as upstream's does. */
export class EventWindow {
  private events: (CacheEvent | undefined)[] = new Array<CacheEvent | undefined>(capacityMin);
  private capacity = capacityMin;
  private start = 0;
  private end = 0;
  private removedSinceList = false;
  private listRevision = 0;

  /** Starts over after a list at this revision. */
  reset(listRevision: number): void {
    this.start = 0;
    this.end = 0;
    this.events = new Array<CacheEvent | undefined>(this.capacity);
    this.removedSinceList = false;
    this.listRevision = listRevision;
  }

  add(event: CacheEvent): void {
    if (this.end - this.start === this.capacity) {
      const oldest = this.events[this.start % this.capacity];
      if (oldest !== undefined && event.atUs - oldest.atUs < eventFreshUs) this.resize(Math.min(this.capacity * 2, capacityMax));
      else {
        const quarter = this.events[(this.end - Math.floor(this.capacity / 4)) % this.capacity];
        if (quarter !== undefined && event.atUs - quarter.atUs > eventFreshUs)
          this.resize(Math.max(Math.floor(this.capacity / 2), capacityMin));
      }
    }
    if (this.end - this.start === this.capacity) {
      this.start++;
      this.removedSinceList = true;
    }
    this.events[this.end % this.capacity] = event;
    this.end++;
  }

  private resize(capacity: number): void {
    if (capacity === this.capacity) return;
    const next = new Array<CacheEvent | undefined>(capacity);
    if (this.end - this.start > capacity) {
      this.start = this.end - capacity;
      this.removedSinceList = true;
    }
    for (let i = this.start; i < this.end; i++) next[i % capacity] = this.events[i % this.capacity];
    this.events = next;
    this.capacity = capacity;
  }

  /** Nothing happened since the list. */
  get isEmpty(): boolean {
    return this.end === this.start;
  }

  /** The oldest version from which a watch can start. */
  oldest(): number {
    if (!this.removedSinceList) return this.listRevision;
    return (this.events[this.start % this.capacity]?.revision ?? this.listRevision + 1) - 1;
  }

  /** Events after this revision, oldest first. The caller has checked {@link oldest}. */
  since(revision: number): CacheEvent[] {
    let low = this.start;
    let high = this.end;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.events[middle % this.capacity]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    const found: CacheEvent[] = [];
    for (let i = low; i < this.end; i++) {
      const event = this.events[i % this.capacity];
      if (event !== undefined) found.push(event);
    }
    return found;
  }
}
