import { compareKeys, FROM_KEY, isPlainKey } from '../keys.ts';
import type { Watcher } from './watcher.ts';

interface RangeGroup {
  readonly begin: string;
  readonly rangeEnd: string;
  readonly watchers: Watcher[];
}

const none: readonly Watcher[] = [];

/**
 * Watchers indexed by what they watch, so that a change costs a lookup and not a pass over all watchers: a map for single keys; ranges cut
 * the key space into segments, each with the groups of watchers that cover it.
 */
export class WatcherGroup {
  readonly #byKey = new Map<string, Watcher[]>();
  readonly #ranges = new Map<string, RangeGroup>();
  #segmentStarts: string[] = [];
  #segmentWatchers: (readonly Watcher[])[] = [];
  /** Code unit order is byte order for all boundaries. */
  #plain = true;
  #stale = false;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(watcher: Watcher): void {
    this.#size++;
    if (watcher.rangeEnd === '') {
      const watchers = this.#byKey.get(watcher.key);
      if (watchers === undefined) this.#byKey.set(watcher.key, [watcher]);
      else insert(watchers, watcher);
      return;
    }
    const name = `${watcher.key}\u0000${watcher.rangeEnd}`;
    const group = this.#ranges.get(name);
    this.#stale = true;
    if (group === undefined) this.#ranges.set(name, { begin: watcher.key, rangeEnd: watcher.rangeEnd, watchers: [watcher] });
    else insert(group.watchers, watcher);
  }

  delete(watcher: Watcher): void {
    if (watcher.rangeEnd === '') {
      const watchers = this.#byKey.get(watcher.key);
      if (watchers === undefined || !remove(watchers, watcher)) return;
      this.#size--;
      if (watchers.length === 0) this.#byKey.delete(watcher.key);
      return;
    }
    const name = `${watcher.key}\u0000${watcher.rangeEnd}`;
    const group = this.#ranges.get(name);
    if (group === undefined || !remove(group.watchers, watcher)) return;
    this.#size--;
    this.#stale = true;
    if (group.watchers.length === 0) this.#ranges.delete(name);
  }

  /** The watchers of a key, in order of creation. The array is the group's own: copy it before changing the group. */
  watchersOf(key: string): readonly Watcher[] {
    if (this.#stale) this.#rebuild();
    const exact = this.#byKey.get(key) ?? none;
    const covering = this.#ranges.size === 0 ? none : this.#covering(key);
    if (exact.length === 0) return covering;
    if (covering.length === 0) return exact;
    return [...exact, ...covering].sort((a, b) => a.seq - b.seq);
  }

  /** All watchers in order of creation. */
  all(): Watcher[] {
    const watchers: Watcher[] = [];
    for (const list of this.#byKey.values()) watchers.push(...list);
    for (const group of this.#ranges.values()) watchers.push(...group.watchers);
    return watchers.sort((a, b) => a.seq - b.seq);
  }

  #covering(key: string): readonly Watcher[] {
    const plain = this.#plain && isPlainKey(key);
    let low = -1;
    let high = this.#segmentStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const start = this.#segmentStarts[middle] ?? '';
      if (plain ? start <= key : compareKeys(start, key) <= 0) low = middle;
      else high = middle - 1;
    }
    return this.#segmentWatchers[low] ?? none;
  }

  #rebuild(): void {
    this.#stale = false;
    const bounds = new Set<string>();
    for (const group of this.#ranges.values()) {
      bounds.add(group.begin);
      if (group.rangeEnd !== FROM_KEY) bounds.add(group.rangeEnd);
    }
    this.#segmentStarts = [...bounds].sort(compareKeys);
    this.#plain = this.#segmentStarts.every(isPlainKey);
    this.#segmentWatchers = this.#segmentStarts.map((start) => {
      const watchers: Watcher[] = [];
      for (const group of this.#ranges.values()) {
        const covers = compareKeys(group.begin, start) <= 0 && (group.rangeEnd === FROM_KEY || compareKeys(start, group.rangeEnd) < 0);
        if (covers) watchers.push(...group.watchers);
      }
      return watchers.sort((a, b) => a.seq - b.seq);
    });
  }
}

function insert(watchers: Watcher[], watcher: Watcher): void {
  watchers.push(watcher);
  if (watchers.length > 1) watchers.sort((a, b) => a.seq - b.seq);
}

function remove(watchers: Watcher[], watcher: Watcher): boolean {
  const at = watchers.indexOf(watcher);
  if (at < 0) return false;
  watchers.splice(at, 1);
  return true;
}
