import { InvariantError } from './assert.ts';
import type { Micros } from './time.ts';

/** What a queued event runs: two arguments instead of a closure, so that scheduling allocates nothing. */
export type EventFn = (a: unknown, b: unknown) => void;

/** Names a scheduled event for cancelling. 0 names none. */
export type EventId = number;

const SLOT_BITS_FACTOR = 4_194_304; // 2^22 slots
const HOST_FACTOR = 4_294_967_296; // 2^32 events a host

/** Width of a bucket of later events: longer than what the network and disks take, shorter than what most time-outs wait for. */
const BUCKET_US = 262_144;

/**
 * Events by the keys (at, host, per-host sequence): a total order in which one host's extra event does not reorder another host's ties.
 *
 * What is due soon lies in a binary heap over typed arrays. What is due later lies unsorted in buckets of a quarter of a second and is
 * poured into the heap when its turn comes: most of it are time-outs that are cancelled long before, and these never see the heap.
 * Cancelling marks the slot and never searches; a marked slot is let go when it is poured or comes to the top.
 */
export class EventQueue {
  #heapAt = new Float64Array(1024);
  #heapKey = new Float64Array(1024);
  #heapSlot = new Int32Array(1024);
  #size = 0;
  /** Slots of later events by bucket; every bucket begins at or after `#heapEnd`. */
  readonly #later = new Map<number, number[]>();
  /** The bucket last put into: mostly it is the next one too. */
  #recentNumber = -1;
  #recent: number[] = [];
  /** Events before this time go into the heap. */
  #heapEnd: Micros = BUCKET_US;

  readonly #fn: (EventFn | undefined)[] = [];
  readonly #a: unknown[] = [];
  readonly #b: unknown[] = [];
  readonly #generation: number[] = [];
  readonly #kind: number[] = [];
  /** Keys of later events. */
  readonly #at: Micros[] = [];
  readonly #key: number[] = [];
  readonly #free: number[] = [];
  readonly #sequence: number[] = [];
  #live = 0;

  /** The popped event: valid after `pop` answered true, until it is run or the next one is popped. */
  at: Micros = 0;
  host = 0;
  /** How many events had been scheduled for that host before this one, low 32 bits. */
  sequence = 0;
  kind = 0;
  /** Where its function and arguments lie; -1 once it was run. */
  #popped = -1;

  get fn(): EventFn | undefined {
    return this.#fn[this.#popped];
  }

  get a(): unknown {
    return this.#a[this.#popped];
  }

  get b(): unknown {
    return this.#b[this.#popped];
  }

  /** Events that are scheduled and not cancelled. */
  get live(): number {
    return this.#live;
  }

  /** Schedules `fn(a, b)`; ties at one instant run by host, then in the order of scheduling for that host. */
  schedule(at: Micros, host: number, kind: number, fn: EventFn, a: unknown, b: unknown): EventId {
    const slot = this.post(at, host, kind, fn, a, b);
    return slot + (this.#generation[slot] as number) * SLOT_BITS_FACTOR;
  }

  /** As {@link schedule}, for an event that nobody will cancel: without the id, which is a number on the heap. */
  post(at: Micros, host: number, kind: number, fn: EventFn, a: unknown, b: unknown): number {
    const free = this.#free.pop();
    let slot: number;
    if (free === undefined) {
      slot = this.#fn.length;
      if (slot >= SLOT_BITS_FACTOR - 1)
        throw new InvariantError(`EventQueue: ${slot} events pending, at most 2^22: something schedules without end`);
      this.#fn.push(fn);
      this.#a.push(a);
      this.#b.push(b);
      this.#kind.push(kind);
      this.#generation.push(1);
    } else {
      slot = free;
      this.#fn[slot] = fn;
      this.#a[slot] = a;
      this.#b[slot] = b;
      this.#kind[slot] = kind;
    }
    const sequence = this.#sequence[host] ?? 0;
    this.#sequence[host] = sequence + 1;
    const key = host * HOST_FACTOR + sequence;
    if (at < this.#heapEnd) this.#push(at, key, slot);
    else this.#putLater(at, key, slot);
    this.#live++;
    return slot;
  }

  /** Takes an event back. False when it has run or was cancelled already. */
  cancel(id: EventId): boolean {
    const slot = id % SLOT_BITS_FACTOR;
    if (id === 0 || this.#generation[slot] !== Math.floor(id / SLOT_BITS_FACTOR) || this.#fn[slot] === undefined) return false;
    this.#fn[slot] = undefined;
    this.#a[slot] = undefined;
    this.#b[slot] = undefined;
    this.#live--;
    return true;
  }

  /** Time of the next event, or Infinity. */
  peekAt(): Micros {
    this.#dropCancelled();
    return this.#size === 0 ? Number.POSITIVE_INFINITY : (this.#heapAt[0] as number);
  }

  /** Takes the next event out if it is due by then; its fields are then readable on the queue itself. False when there is none. */
  pop(until: Micros = Number.POSITIVE_INFINITY): boolean {
    if (this.#popped >= 0) this.#free.push(this.#forget(this.#popped));
    this.#popped = -1;
    this.#dropCancelled();
    if (this.#size === 0) return false;
    const at = this.#heapAt[0] as number;
    if (at > until) return false;
    const slot = this.#heapSlot[0] as number;
    this.at = at;
    const key = this.#heapKey[0] as number;
    this.host = Math.floor(key / HOST_FACTOR);
    this.sequence = key - this.host * HOST_FACTOR;
    this.kind = this.#kind[slot] as number;
    this.#popped = slot;
    // It can no longer be cancelled.
    this.#generation[slot] = (this.#generation[slot] as number) + 1;
    this.#live--;
    this.#removeTop();
    return true;
  }

  /** Runs the popped event. */
  run(): void {
    const slot = this.#popped;
    this.#popped = -1;
    const fn = this.#fn[slot] as EventFn;
    const a = this.#a[slot];
    const b = this.#b[slot];
    this.#free.push(this.#forget(slot));
    fn(a, b);
  }

  /** Lets go of what a slot holds. */
  #forget(slot: number): number {
    this.#fn[slot] = undefined;
    this.#a[slot] = undefined;
    this.#b[slot] = undefined;
    return slot;
  }

  /** Brings the next event that was not cancelled to the top of the heap. */
  #dropCancelled(): void {
    for (;;) {
      while (this.#size > 0) {
        const slot = this.#heapSlot[0] as number;
        if (this.#fn[slot] !== undefined) return;
        this.#letGo(slot);
        this.#removeTop();
      }
      if (this.#later.size === 0) return;
      this.#pour();
    }
  }

  /** Frees the slot of an event that was cancelled. */
  #letGo(slot: number): void {
    this.#generation[slot] = (this.#generation[slot] as number) + 1;
    this.#free.push(slot);
  }

  #putLater(at: Micros, key: number, slot: number): void {
    this.#at[slot] = at;
    this.#key[slot] = key;
    const number = Math.floor(at / BUCKET_US);
    if (number !== this.#recentNumber) {
      let bucket = this.#later.get(number);
      if (bucket === undefined) {
        bucket = [];
        this.#later.set(number, bucket);
      }
      this.#recentNumber = number;
      this.#recent = bucket;
    }
    this.#recent.push(slot);
  }

  /** The heap is empty: fills it with the next bucket. */
  #pour(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const number of this.#later.keys()) if (number < next) next = number;
    const bucket = this.#later.get(next) as readonly number[];
    this.#later.delete(next);
    this.#recentNumber = -1;
    this.#heapEnd = (next + 1) * BUCKET_US;
    for (let i = 0; i < bucket.length; i++) {
      const slot = bucket[i] as number;
      if (this.#fn[slot] === undefined) this.#letGo(slot);
      else this.#push(this.#at[slot] as Micros, this.#key[slot] as number, slot);
    }
  }

  #push(at: number, key: number, slot: number): void {
    if (this.#size === this.#heapAt.length) this.#grow();
    const ats = this.#heapAt;
    const keys = this.#heapKey;
    const slots = this.#heapSlot;
    let i = this.#size++;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const parentAt = ats[parent] as number;
      if (parentAt < at || (parentAt === at && (keys[parent] as number) < key)) break;
      ats[i] = parentAt;
      keys[i] = keys[parent] as number;
      slots[i] = slots[parent] as number;
      i = parent;
    }
    ats[i] = at;
    keys[i] = key;
    slots[i] = slot;
  }

  #removeTop(): void {
    const ats = this.#heapAt;
    const keys = this.#heapKey;
    const slots = this.#heapSlot;
    const last = --this.#size;
    if (last === 0) return;
    const at = ats[last] as number;
    const key = keys[last] as number;
    const slot = slots[last] as number;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= last) break;
      const right = child + 1;
      if (right < last) {
        const leftAt = ats[child] as number;
        const rightAt = ats[right] as number;
        if (rightAt < leftAt || (rightAt === leftAt && (keys[right] as number) < (keys[child] as number))) child = right;
      }
      const childAt = ats[child] as number;
      if (at < childAt || (at === childAt && key < (keys[child] as number))) break;
      ats[i] = childAt;
      keys[i] = keys[child] as number;
      slots[i] = slots[child] as number;
      i = child;
    }
    ats[i] = at;
    keys[i] = key;
    slots[i] = slot;
  }

  #grow(): void {
    const capacity = this.#heapAt.length * 2;
    const at = new Float64Array(capacity);
    at.set(this.#heapAt);
    const key = new Float64Array(capacity);
    key.set(this.#heapKey);
    const slot = new Int32Array(capacity);
    slot.set(this.#heapSlot);
    this.#heapAt = at;
    this.#heapKey = key;
    this.#heapSlot = slot;
  }
}
