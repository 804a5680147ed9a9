import type { Property } from './property.ts';
import { NameNumbers, RecentRows } from './recent-rows.ts';

/** An entry as the member had it that was the first to append one with this index and term. */
interface SeenEntry {
  readonly index: number;
  readonly term: number;
  readonly hash: number;
  readonly previousTerm: number;
  readonly member: string;
  readonly atUs: number;
}

/** Fields of a row after its index. */
const TERM = 1;
const HASH = 2;
const PREVIOUS_TERM = 3;
const MEMBER = 4;
const AT_US = 5;

/** The first entry seen at each of the newest indexes with each term. */
class SeenEntries {
  readonly #rows = new RecentRows(6);
  readonly #names = new NameNumbers();
  /** Entries at an index that came after one of another term: seldom any. */
  #others: SeenEntry[] = [];

  /** True when an entry of that index and term is known, and is this one with the same predecessor: the common case, which makes no object. */
  agrees(index: number, term: number, hash: number, previousTerm: number): boolean {
    const row = this.#rows.find(index);
    const { values } = this.#rows;
    if (row < 0 || values[row + TERM] !== term || values[row + HASH] !== hash) return false;
    const before = values[row + PREVIOUS_TERM] as number;
    return before === previousTerm || before < 0 || previousTerm < 0;
  }

  find(index: number, term: number): SeenEntry | undefined {
    const row = this.#rows.find(index);
    const { values } = this.#rows;
    if (row < 0 || values[row + TERM] !== term) return this.#others.find((entry) => entry.index === index && entry.term === term);
    return {
      index,
      term,
      hash: values[row + HASH] as number,
      previousTerm: values[row + PREVIOUS_TERM] as number,
      member: this.#names.name(values[row + MEMBER] as number),
      atUs: values[row + AT_US] as number,
    };
  }

  add(index: number, term: number, hash: number, previousTerm: number, member: string, atUs: number): void {
    if (this.#rows.find(index) >= 0) {
      this.#others = this.#others.filter((entry) => this.#rows.find(entry.index) >= 0);
      this.#others.push({ index, term, hash, previousTerm, member, atUs });
      return;
    }
    const row = this.#rows.add(index);
    // Entries far behind cannot meet new ones.
    if (row < 0) return;
    const { values } = this.#rows;
    values[row + TERM] = term;
    values[row + HASH] = hash;
    values[row + PREVIOUS_TERM] = previousTerm;
    values[row + MEMBER] = this.#names.of(member);
    values[row + AT_US] = atUs;
  }
}

/** Raft paper, figure 3: if two logs hold an entry with the same index and term, they are identical up to it. */
export const raftLogMatching: Property = {
  id: 'raft-log-matching',
  about: 'Entries with the same index and term are the same in every log, and so are their predecessors.',
  clauses: [
    { id: 'same-entry', must: 'Two logs never hold different entries with the same index and term.' },
    { id: 'same-predecessor', must: 'Two logs that agree on an entry agree on the term of the entry before it.' },
  ],
  needsKubernetes: false,
  start({ facts, clock, views, violate }) {
    const { logs } = views;
    const seen = new SeenEntries();
    let judged = 0;
    facts.raftAppend.subscribe((member, index, term, hash) => {
      judged++;
      const previousTerm = logs.term(member, index - 1);
      if (seen.agrees(index, term, hash, previousTerm)) return;
      const first = seen.find(index, term);
      if (first === undefined) {
        seen.add(index, term, hash, previousTerm, member, clock.now);
        return;
      }
      const sameEntry = first.hash === hash;
      if (sameEntry && (first.previousTerm === previousTerm || first.previousTerm < 0 || previousTerm < 0)) return;
      violate({
        clause: sameEntry ? 'same-predecessor' : 'same-entry',
        atUs: clock.now,
        sentence: `${member} and ${first.member} hold different logs up to entry ${index} of term ${term}.`,
        expected: `one history up to entry ${index} of term ${term}`,
        actual: sameEntry ? `predecessors of terms ${first.previousTerm} and ${previousTerm}` : 'two different entries',
        subjects: [first.member, member],
        facts: [
          { atUs: first.atUs, subject: first.member, text: `appends entry ${index} of term ${term}` },
          { atUs: clock.now, subject: member, text: `appends another entry ${index} of term ${term}` },
        ],
      });
    });
    return { exercised: () => judged };
  },
};
