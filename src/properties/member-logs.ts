import type { Facts } from '../model/facts.ts';
import { RecentRows } from './recent-rows.ts';

/** A log as facts tell it: what is known of it are the entries from `first` to `last`. */
interface MemberLog {
  /** Index of the first entry known; entries before it lie in a snapshot, or are forgotten. */
  first: number;
  last: number;
  /** Rows may hold entries beyond `last`, which were cut off. */
  rows: RecentRows;
}

/** Fields of a row after its index. */
const TERM = 1;
const HASH = 2;
const WIDTH = 3;

/** Rebuilds every member's log from the facts, so that properties of logs need no look into a member. */
export class MemberLogs {
  readonly #logs = new Map<string, MemberLog>();

  constructor(facts: Facts) {
    facts.raftAppend.subscribe((member, index, term, hash) => append(this.#log(member), index, term, hash));
    facts.raftTruncate.subscribe((member, fromIndex) => cutTo(this.#log(member), fromIndex - 1));
    facts.memberStart.subscribe((member, lastIndex) => {
      const log = this.#log(member);
      // The disk may have lost a snapshot, and with it all that is known.
      if (lastIndex + 1 < log.first) restart(log, lastIndex + 1);
      else cutTo(log, lastIndex);
    });
    // A crash undoes what was appended and not synced, also where it replaced other entries.
    facts.raftRecovered.subscribe((member, index, term, hash) => recover(this.#log(member), index, term, hash));
    facts.raftSnapshot.subscribe((member, index, term) => {
      const log = this.#log(member);
      // A snapshot takes the place of the whole log, unless what it covers is known to be the same: an old tail goes with what it followed.
      if (index >= log.first && this.term(member, index) !== term) restart(log, index + 1);
    });
  }

  /** Term of an entry of the member's log; -1 where it is unknown. */
  term(member: string, index: number): number {
    return this.#field(member, index, TERM);
  }

  /** Content hash of an entry of the member's log; -1 where it is unknown. */
  hash(member: string, index: number): number {
    return this.#field(member, index, HASH);
  }

  /** Index of the last entry; 0 for a member that nothing is known of. */
  lastIndex(member: string): number {
    return this.#logs.get(member)?.last ?? 0;
  }

  /** Index of the first entry that may be known. */
  firstIndex(member: string): number {
    const log = this.#logs.get(member);
    return log === undefined ? 1 : Math.max(log.first, log.rows.oldest(log.last));
  }

  #field(member: string, index: number, field: number): number {
    const log = this.#logs.get(member);
    if (log === undefined || index < log.first || index > log.last) return -1;
    const row = log.rows.find(index);
    return row < 0 ? -1 : (log.rows.values[row + field] as number);
  }

  #log(member: string): MemberLog {
    let log = this.#logs.get(member);
    if (log === undefined) {
      log = { first: 1, last: 0, rows: new RecentRows(WIDTH) };
      this.#logs.set(member, log);
    }
    return log;
  }
}

function append(log: MemberLog, index: number, term: number, hash: number): void {
  if (log.last < log.first || index > log.last + 1 || index < log.first) restart(log, index);
  log.last = index;
  const { rows } = log;
  const known = rows.find(index);
  const row = known < 0 ? rows.add(index) : known;
  if (row < 0) return;
  rows.values[row + TERM] = term;
  rows.values[row + HASH] = hash;
}

/** Entries of a log that is whole already: what follows stays. */
function recover(log: MemberLog, index: number, term: number, hash: number): void {
  const { last } = log;
  append(log, index, term, hash);
  log.last = Math.max(last, log.last);
}

function restart(log: MemberLog, first: number): void {
  // Rows of a longer log would keep those of a new one that begins far below out.
  if (first < log.last) log.rows = new RecentRows(WIDTH);
  log.first = first;
  log.last = first - 1;
}

function cutTo(log: MemberLog, lastIndex: number): void {
  if (lastIndex < log.last) log.last = Math.max(lastIndex, log.first - 1);
}
