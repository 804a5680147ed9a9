import type { Facts } from '../model/facts.ts';

/** A log as facts tell it, entries from `first` on, in columns: there is one for every entry of every member. */
interface MemberLog {
  /** Index of the first entry known; entries before it lie in a snapshot. */
  first: number;
  terms: number[];
  hashes: number[];
}

const KEPT = 20_000;

/** Rebuilds every member's log from the facts, so that properties of logs need no look into a member. */
export class MemberLogs {
  readonly #logs = new Map<string, MemberLog>();

  constructor(facts: Facts) {
    facts.raftAppend.subscribe((member, index, term, hash) => this.#append(this.#log(member), index, term, hash));
    facts.raftTruncate.subscribe((member, fromIndex) => cutTo(this.#log(member), fromIndex - 1));
    facts.memberStart.subscribe((member, lastIndex) => cutTo(this.#log(member), lastIndex));
    facts.raftSnapshot.subscribe((member, index, term) => {
      const log = this.#log(member);
      // A snapshot takes the place of the whole log, unless what it covers is known to be the same: an old tail goes with what it followed.
      if (index >= log.first && log.terms[index - log.first] !== term) restart(log, index + 1);
    });
  }

  /** Term of an entry of the member's log; -1 where it is unknown. */
  term(member: string, index: number): number {
    const log = this.#logs.get(member);
    return log === undefined ? -1 : (log.terms[index - log.first] ?? -1);
  }

  /** Content hash of an entry of the member's log; -1 where it is unknown. */
  hash(member: string, index: number): number {
    const log = this.#logs.get(member);
    return log === undefined ? -1 : (log.hashes[index - log.first] ?? -1);
  }

  /** Index of the last entry; 0 for a member that nothing is known of. */
  lastIndex(member: string): number {
    const log = this.#logs.get(member);
    return log === undefined ? 0 : log.first + log.terms.length - 1;
  }

  firstIndex(member: string): number {
    return this.#logs.get(member)?.first ?? 1;
  }

  #append(log: MemberLog, index: number, term: number, hash: number): void {
    const { terms } = log;
    if (terms.length === 0 || index > log.first + terms.length || index < log.first) restart(log, index);
    else if (index < log.first + terms.length) cutTo(log, index - 1);
    log.terms.push(term);
    log.hashes.push(hash);
    if (log.terms.length > KEPT * 2) {
      log.terms.splice(0, KEPT);
      log.hashes.splice(0, KEPT);
      log.first += KEPT;
    }
  }

  #log(member: string): MemberLog {
    let log = this.#logs.get(member);
    if (log === undefined) {
      log = { first: 1, terms: [], hashes: [] };
      this.#logs.set(member, log);
    }
    return log;
  }
}

function restart(log: MemberLog, first: number): void {
  log.first = first;
  log.terms = [];
  log.hashes = [];
}

function cutTo(log: MemberLog, lastIndex: number): void {
  const keep = Math.max(0, lastIndex - log.first + 1);
  if (keep >= log.terms.length) return;
  log.terms.length = keep;
  log.hashes.length = keep;
}
