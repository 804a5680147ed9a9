import type { Facts } from '../model/facts.ts';

/** One entry of a member's log. */
export interface LoggedEntry {
  readonly term: number;
  readonly hash: number;
}

/** A log as facts tell it: entries from `first` on. */
export interface MemberLog {
  /** Index of the first entry known; entries before it lie in a snapshot. */
  first: number;
  entries: LoggedEntry[];
}

const KEPT = 20_000;

/** Rebuilds every member's log from the facts, so that properties of logs need no look into a member. */
export class MemberLogs {
  readonly logs = new Map<string, MemberLog>();

  constructor(facts: Facts) {
    facts.raftAppend.subscribe((member, index, term, hash) => {
      const log = this.#log(member);
      if (log.entries.length === 0 || index > log.first + log.entries.length) {
        log.first = index;
        log.entries = [{ term, hash }];
        return;
      }
      if (index < log.first) {
        log.first = index;
        log.entries = [];
      }
      log.entries.length = index - log.first;
      log.entries.push({ term, hash });
      if (log.entries.length > KEPT * 2) {
        log.entries.splice(0, KEPT);
        log.first += KEPT;
      }
    });
    facts.raftTruncate.subscribe((member, fromIndex) => this.#cutTo(member, fromIndex - 1));
    facts.memberStart.subscribe((member, lastIndex) => this.#cutTo(member, lastIndex));
    facts.raftSnapshot.subscribe((member, index, term) => {
      const log = this.#log(member);
      // A snapshot takes the place of the whole log, unless what it covers is known to be the same: an old tail goes with what it followed.
      if (index >= log.first && log.entries[index - log.first]?.term !== term) {
        log.first = index + 1;
        log.entries = [];
      }
    });
  }

  /** The entry of a member's log, or undefined where it is unknown. */
  entry(member: string, index: number): LoggedEntry | undefined {
    const log = this.logs.get(member);
    return log === undefined ? undefined : log.entries[index - log.first];
  }

  /** Index of the last entry; 0 for a member that nothing is known of. */
  lastIndex(member: string): number {
    const log = this.logs.get(member);
    return log === undefined ? 0 : log.first + log.entries.length - 1;
  }

  firstIndex(member: string): number {
    return this.logs.get(member)?.first ?? 1;
  }

  #cutTo(member: string, lastIndex: number): void {
    const log = this.#log(member);
    const keep = lastIndex - log.first + 1;
    if (keep < log.entries.length) log.entries.length = Math.max(0, keep);
  }

  #log(member: string): MemberLog {
    let log = this.logs.get(member);
    if (log === undefined) {
      log = { first: 1, entries: [] };
      this.logs.set(member, log);
    }
    return log;
  }
}
