import type { LogIndex } from './types.ts';

/**
 * The window of appends sent to one follower and not yet acknowledged: a ring of the last index of each message. Limits the
 * count of messages, and optionally their payload bytes.
 */
export class Inflights {
  private start = 0;
  /** Messages in flight. */
  count = 0;
  private bytes = 0;
  private indexes: number[] = [];
  private sizes: number[] = [];
  private readonly maxMessages: number;
  private readonly maxBytes: number;

  constructor(maxMessages: number, maxBytes: number) {
    this.maxMessages = maxMessages;
    this.maxBytes = maxBytes;
  }

  /** Whether another append must wait. The last message may overshoot the byte limit, as upstream. */
  full(): boolean {
    return this.count >= this.maxMessages || this.bytes >= this.maxBytes;
  }

  /** Records an append whose last entry is `index`. Indexes must come in order, and the window must not be full. */
  add(index: LogIndex, sizeBytes: number): void {
    let next = this.start + this.count;
    const capacity = this.indexes.length;
    if (this.count === capacity) {
      this.grow();
      next = this.count;
    } else if (next >= capacity) next -= capacity;
    this.indexes[next] = index;
    this.sizes[next] = sizeBytes;
    this.count++;
    this.bytes += sizeBytes;
  }

  /** Frees every message whose last entry is at or below `index`. */
  freeTo(index: LogIndex): void {
    const capacity = this.indexes.length;
    let at = this.start;
    while (this.count > 0 && (this.indexes[at] ?? 0) <= index) {
      this.bytes -= this.sizes[at] ?? 0;
      this.count--;
      at++;
      if (at === capacity) at = 0;
    }
    this.start = this.count === 0 ? 0 : at;
  }

  /** Empties the window. */
  reset(): void {
    this.start = 0;
    this.count = 0;
    this.bytes = 0;
  }

  private grow(): void {
    // Grown on demand: a window of 2^31 messages is a legal limit and almost never used.
    const capacity = Math.max(4, this.indexes.length * 2);
    const indexes: number[] = new Array(capacity).fill(0);
    const sizes: number[] = new Array(capacity).fill(0);
    for (let i = 0; i < this.count; i++) {
      const from = (this.start + i) % this.indexes.length;
      indexes[i] = this.indexes[from] ?? 0;
      sizes[i] = this.sizes[from] ?? 0;
    }
    this.indexes = indexes;
    this.sizes = sizes;
    this.start = 0;
  }
}
