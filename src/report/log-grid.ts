import type { Witness, WitnessFigure } from '../properties/property.ts';
import { MsgApp } from '../raft/message.ts';
import type { Micros } from '../sim/time.ts';
import type { LogGridFigure, LogGridRow } from './figure.ts';
import type { History } from './history.ts';
import { isRaft } from './message-labels.ts';
import { entryText, raftOf } from './raft-labels.ts';
import { clock } from './time-words.ts';

/** Columns before and after the entry that the grid is about. */
const BEFORE = 3;
const AFTER = 2;

interface Entry {
  readonly term: number;
  readonly hash: number;
}

/** The grid that a property drew. */
export function logGridOfWitness(history: History, figure: Extract<WitnessFigure, { kind: 'log-grid' }>, witness: Witness): LogGridFigure {
  const logs = figure.members.map((member) => ({
    name: member.name,
    commit: member.commit,
    entries: new Map(member.entries.map((entry) => [entry.index, { term: entry.term, hash: 0 }])),
  }));
  return grid(history, logs, figure.atIndex, witness.atUs, witness.subjects.at(-1));
}

/** The members' logs around an entry, replayed from the facts. */
export function logGridAt(history: History, index: number, atUs: Micros, subjects: readonly string[]): LogGridFigure {
  const logs = history.members.map((name) => {
    const entries = new Map<number, Entry>();
    let commit = 0;
    for (const fact of history.factsOf.get(name) ?? []) {
      if (fact.atUs > atUs) break;
      const [, first, second, hash] = fact.args as readonly number[];
      if (fact.channel === 'raftAppend' || fact.channel === 'raftRecovered')
        entries.set(first as number, { term: second as number, hash: hash as number });
      else if (fact.channel === 'raftCommit') commit = first as number;
      else if (fact.channel === 'raftTruncate') for (const at of [...entries.keys()]) if (at >= (first as number)) entries.delete(at);
      if (fact.channel === 'memberStart') {
        commit = second as number;
        for (const at of [...entries.keys()]) if (at > (first as number)) entries.delete(at);
      }
    }
    return { name, commit, entries };
  });
  return grid(history, logs, index, atUs, subjects.at(-1));
}

function grid(
  history: History,
  logs: readonly { readonly name: string; readonly commit: number; readonly entries: ReadonlyMap<number, Entry> }[],
  atIndex: number,
  atUs: Micros,
  suspect: string | undefined,
): LogGridFigure {
  const indexes = Array.from({ length: BEFORE + AFTER + 1 }, (_, i) => atIndex - BEFORE + i).filter((index) => index > 0);
  const texts = contents(history, indexes);
  const rows: LogGridRow[] = logs.map(({ name, commit, entries }) => ({
    member: name,
    commitIndex: commit,
    cells: indexes.map((index) => {
      const entry = entries.get(index);
      if (entry === undefined) return null;
      const cell = { term: entry.term, text: texts.get(`${index} ${entry.term}`) ?? '' };
      return index === atIndex && name === suspect ? { ...cell, emphasis: 'wrong' as const } : cell;
    }),
  }));
  return {
    kind: 'log-grid',
    title: `At ${clock(atUs)}`,
    subtitle: `the logs around entry ${atIndex}`,
    note: 'The thick line is the commit index of each member, as far as the facts tell.',
    indexes,
    rows,
    stored: indexes.map((index, i) => {
      const terms = rows.flatMap((row) => row.cells[i]?.term ?? []);
      const most = Math.max(0, ...terms.map((term) => terms.filter((other) => other === term).length));
      const kinds = new Set(terms).size;
      return {
        text: terms.length === 0 ? '' : kinds > 1 ? `${kinds} versions` : `${most} of ${rows.length}`,
        ...(index === atIndex ? { wrong: true } : {}),
      };
    }),
  };
}

/** What the entries hold, as the messages that carried them tell. */
function contents(history: History, indexes: readonly number[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const [first, last] = [indexes[0] ?? 0, indexes.at(-1) ?? 0];
  for (const message of history.trace.messages) {
    if (!isRaft(message)) continue;
    const m = raftOf(message);
    if (m.type !== MsgApp || m.entries.length === 0 || m.index >= last || (m.entries.at(-1)?.index ?? 0) < first) continue;
    for (const entry of m.entries)
      if (entry.index >= first && entry.index <= last) found.set(`${entry.index} ${entry.term}`, entryText(entry.data));
  }
  return found;
}
