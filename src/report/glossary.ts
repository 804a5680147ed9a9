import type { RichText, RichTextRun } from './document.ts';

/** Words of the field that a reader of a report may not know. Longer ones stand first where one contains another. */
const DEFINITIONS: readonly (readonly [pattern: RegExp, definition: string])[] = [
  [/\bcommit index\b/, 'up to this entry a majority has the log: what may be applied and answered'],
  [/\breplica sets?\b/, 'one generation of a Deployment’s pods'],
  [/\bresourceVersion\b/, 'the revision at which an object was written last'],
  [/\bReadIndex\b/, 'the leader asks a majority whether it still leads before it answers a read'],
  [/\blinearizable\b/, 'as if there were one copy: it must see every write that was answered before it began'],
  [/\bserializable\b/, 'answered from the asked member’s own copy, however old'],
  [/\bpre-vote\b/, 'a question whether an election could be won, before the term is raised'],
  [/\bmajority\b/, 'more than half of the etcd members; without one nothing may be committed'],
  [/\bquorum\b/, 'a majority of the etcd members'],
  [/\bterms?\b(?= \d)/, 'an election round, with at most one leader'],
  [/\brevisions?\b(?= \d)/, 'the number of a committed change, the same on every member'],
  [/\bentry\b|\bentries\b/, 'a position in the replicated log'],
  [/\bleases?\b/, 'a lock with a time limit, which its holder must renew'],
  [/\bendpoints?\b/, 'the addresses to which a Service sends requests'],
  [/\bheartbeats?\b/, 'the leader’s sign of life, every 100 ms'],
  [/\bevicts?\b|\bevicted\b/, 'deletes the pod because its node is lost or full'],
  [/\bkubelet\b/, 'the agent that runs the pods of a node'],
  [/\bwatch\b/, 'a stream of all changes from some revision on'],
  [/\bsnapshot\b/, 'the whole store at one entry, for a member that fell too far behind'],
];

/** Puts the definition of a word where it is used first. One glossary serves one story, in reading order. */
export class Glossary {
  readonly #told = new Set<RegExp>();

  define(text: RichText): RichText {
    return text.flatMap((run) => (typeof run === 'string' ? this.#split(run) : [run]));
  }

  #split(text: string): readonly RichTextRun[] {
    for (const [pattern, definition] of DEFINITIONS) {
      if (this.#told.has(pattern)) continue;
      const found = pattern.exec(text);
      if (found === null) continue;
      this.#told.add(pattern);
      const before = text.slice(0, found.index);
      const after = text.slice(found.index + found[0].length);
      const told: RichTextRun = { kind: 'term', text: found[0], definition };
      return [...this.#split(before), told, ...this.#split(after)];
    }
    return text === '' ? [] : [text];
  }
}

/** A name that stands out. */
export function strong(text: string): RichTextRun {
  return { kind: 'strong', text };
}

/** Makes a sentence's names stand out: every one of them where it is a word. */
export function emphasize(text: string, names: readonly string[]): RichText {
  const known = names.filter((name) => name !== '').sort((a, b) => b.length - a.length);
  if (known.length === 0) return [text];
  const pattern = new RegExp(`(?<![\\w/-])(${known.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})(?![\\w-])`, 'g');
  const runs: RichTextRun[] = [];
  let from = 0;
  for (const found of text.matchAll(pattern)) {
    if (found.index > from) runs.push(text.slice(from, found.index));
    runs.push(strong(found[0]));
    from = found.index + found[0].length;
  }
  if (from < text.length) runs.push(text.slice(from));
  return runs;
}

/** 1st, 2nd, 3rd, 4th. */
export function ordinal(n: number): string {
  const teens = n % 100 >= 11 && n % 100 <= 13;
  return `${n}${teens ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th')}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
