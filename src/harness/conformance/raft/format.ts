import { AppendThread, ApplyThread, type Message, messageTypeName, NoNode } from '../../../raft/message.ts';
import type { Ready } from '../../../raft/ready.ts';
import {
  type ConfChange,
  ConfChangeAddLearnerNode,
  ConfChangeAddNode,
  ConfChangeRemoveNode,
  type ConfChangeSingle,
  type ConfState,
  type Entry,
  EntryConfChange,
  EntryNormal,
  type HardState,
  leaveJointChange,
  type NodeId,
  raftStateName,
  type Snapshot,
} from '../../../raft/types.ts';

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

/** A string as Go's strconv.Quote prints it. */
export function goQuote(text: string): string {
  let quoted = '"';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    const short = escapes[char];
    if (short !== undefined) quoted += short;
    else if (code < 0x20 || code === 0x7f) quoted += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(char)) quoted += char;
    else if (code < 0x10000) quoted += `\\u${code.toString(16).padStart(4, '0')}`;
    else quoted += `\\U${code.toString(16).padStart(8, '0')}`;
  }
  return `${quoted}"`;
}

function changeText({ type, nodeId }: ConfChangeSingle): string {
  let letter = 'u';
  if (type === ConfChangeAddNode) letter = 'v';
  else if (type === ConfChangeAddLearnerNode) letter = 'l';
  else if (type === ConfChangeRemoveNode) letter = 'r';
  return `${letter}${nodeId}`;
}

/** One entry. */
export function entryText(entry: Entry): string {
  const head = `${entry.term}/${entry.index}`;
  if (entry.type === EntryNormal) {
    return `${head} EntryNormal ${goQuote(typeof entry.data === 'string' ? entry.data : '')}`;
  }
  const change = (entry.data as ConfChange | undefined) ?? leaveJointChange;
  const name = entry.type === EntryConfChange ? 'EntryConfChange' : 'EntryConfChangeV2';
  return [`${head} ${name}`, ...change.changes.map(changeText)].join(' ');
}

/** Entries, one a line. */
export function entriesText(entries: readonly Entry[]): string {
  return entries.map((entry) => `${entryText(entry)}\n`).join('');
}

/** A hard state. */
export function hardStateText({ term, vote, commit }: HardState): string {
  return `Term:${term}${vote === 0 ? '' : ` Vote:${vote}`} Commit:${commit}`;
}

function confStateText(state: ConfState): string {
  const list = (ids: readonly NodeId[]): string => `[${ids.join(' ')}]`;
  return `Voters:${list(state.voters)} VotersOutgoing:${list(state.votersOutgoing)} Learners:${list(state.learners)} LearnersNext:${list(state.learnersNext)} AutoLeave:${state.autoLeave}`;
}

/** A snapshot, without its data. */
export function snapshotText(snapshot: Snapshot): string {
  return `Index:${snapshot.index} Term:${snapshot.term} ConfState:${confStateText(snapshot.confState)}`;
}

function targetText(id: NodeId): string {
  if (id === NoNode) return 'None';
  if (id === AppendThread) return 'AppendThread';
  if (id === ApplyThread) return 'ApplyThread';
  return id.toString(16);
}

/** A message; every line of it starts with `indent`. */
export function messageText(m: Message, indent = ''): string {
  let text = `${indent}${targetText(m.from)}->${targetText(m.to)} ${messageTypeName(m.type)} Term:${m.term} Log:${m.logTerm}/${m.index}`;
  if (m.reject) text += ` Rejected (Hint: ${m.rejectHint})`;
  if (m.commit !== 0) text += ` Commit:${m.commit}`;
  if (m.vote !== 0) text += ` Vote:${m.vote}`;
  const [first] = m.entries;
  if (first !== undefined && m.entries.length === 1) {
    text += ` Entries:[${entryText(first)}]`;
  } else if (m.entries.length > 1) {
    text += ' Entries:[';
    for (const entry of m.entries) text += `\n${indent}  ${entryText(entry)}`;
    text += `\n${indent}]`;
  }
  if (m.snapshot !== undefined && m.snapshot.index !== 0) {
    text += `\n${indent}  Snapshot: ${snapshotText(m.snapshot)}`;
  }
  if (m.responses.length > 0) {
    text += ' Responses:[';
    for (const response of m.responses) text += `\n${messageText(response, `${indent}  `)}`;
    text += `\n${indent}]`;
  }
  return text;
}

/** A Ready. */
export function readyText(ready: Ready): string {
  let text = '';
  if (ready.softState !== undefined) {
    text += `Lead:${ready.softState.lead} State:${raftStateName(ready.softState.state)}\n`;
  }
  if (ready.hardState !== undefined) text += `HardState ${hardStateText(ready.hardState)}\n`;
  if (ready.readStates.length > 0) {
    text += `ReadStates [${ready.readStates.map((read) => `{${read.index} ${String(read.requestCtx)}}`).join(' ')}]\n`;
  }
  if (ready.entries.length > 0) text += `Entries:\n${entriesText(ready.entries)}`;
  if (ready.snapshot !== undefined) text += `Snapshot ${snapshotText(ready.snapshot)}\n`;
  if (ready.committedEntries.length > 0) text += `CommittedEntries:\n${entriesText(ready.committedEntries)}`;
  if (ready.messages.length > 0) {
    text += `Messages:\n${ready.messages.map((m) => `${messageText(m)}\n`).join('')}`;
  }
  return text === '' ? '<empty Ready>' : `Ready MustSync=${ready.mustSync}:\n${text}`;
}
