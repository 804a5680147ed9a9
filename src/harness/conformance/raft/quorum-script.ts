import { type IdSet, noIds, sortedIds, unionIds } from '../../../raft/id-set.ts';
import { jointCommitted, jointVote, majorityCommitted, majorityVote, VoteLost, VoteWon } from '../../../raft/quorum.ts';
import type { Directive } from './script.ts';

/** The commands of quorum scripts. */
export const quorumCommands = ['committed', 'vote'];

interface QuorumCase {
  readonly voters: IdSet;
  readonly outgoing: IdSet;
  readonly isJoint: boolean;
  /** One value per distinct voter, in the order of first appearance. */
  readonly values: ReadonlyMap<number, string>;
}

function parseCase(directive: Directive, valuesKey: string): QuorumCase | string {
  const valuesOf = (key: string): readonly string[] => directive.arguments.find((arg) => arg.key === key)?.values ?? [];
  const incoming = valuesOf('cfg').map(Number);
  const second = valuesOf('cfgj');
  const isJoint = directive.arguments.some((arg) => arg.key === 'cfgj');
  const outgoing = second[0] === 'zero' ? [] : second.map(Number);
  const order = [...new Set([...incoming, ...outgoing])];
  const given = valuesOf(valuesKey);
  if (given.length !== order.length) {
    const encode = (text: string): string => (text === '_' ? '0' : text === 'y' ? '2' : text === 'n' ? '1' : text);
    const voters = sortedIds(order).map((id) => `${id}:{}`);
    return `error: mismatched input (explicit or _) for voters map[${voters.join(' ')}]: [${given.map(encode).join(' ')}]`;
  }
  return {
    voters: sortedIds(incoming),
    outgoing: sortedIds(outgoing),
    isJoint,
    values: new Map(order.map((id, i) => [id, given[i] ?? '_'])),
  };
}

/** The chart of who acknowledged how far. */
function chart(voters: IdSet, indexes: ReadonlyMap<number, number>): string {
  const width = voters.length;
  if (width === 0) return '<empty majority quorum>';
  const byIndex = voters.map((id) => ({ id, index: indexes.get(id) ?? 0 })).sort((a, b) => a.index - b.index || a.id - b.id);
  const bars = new Map<number, number>();
  byIndex.forEach(({ id, index }, at) => {
    const previous = byIndex[at - 1];
    bars.set(id, previous !== undefined && previous.index === index ? (bars.get(previous.id) ?? 0) : at);
  });
  let text = `${' '.repeat(width)}    idx\n`;
  for (const id of voters) {
    const index = indexes.get(id);
    const bar = bars.get(id) ?? 0;
    text += index === undefined ? `?${' '.repeat(width)}` : `${'x'.repeat(bar)}>${' '.repeat(width - bar)}`;
    text += ` ${String(index ?? 0).padStart(5)}    (id=${id.toString(16)})\n`;
  }
  return text;
}

function committed(directive: Directive): string {
  const parsed = parseCase(directive, 'idx');
  if (typeof parsed === 'string') return parsed;
  const { voters, outgoing, isJoint } = parsed;
  const indexes = new Map<number, number>();
  for (const [id, text] of parsed.values) if (text !== '_') indexes.set(id, Number(text));
  const acked = (id: number): number => indexes.get(id) ?? 0;
  const index = isJoint ? jointCommitted(voters, outgoing, acked) : majorityCommitted(voters, acked);
  let text = chart(unionIds(voters, outgoing), indexes);
  // The checks that the upstream harness makes on each case; a deviation shows as an extra line.
  const check = (name: string, other: number): void => {
    if (other !== index) text += `${other} <-- ${name}\n`;
  };
  check('alternative computation', slowCommitted(voters, outgoing, acked));
  check('swapped', jointCommitted(outgoing, voters, acked));
  if (!isJoint) {
    check('zero-joint quorum', jointCommitted(voters, noIds, acked));
    check('self-joint quorum', jointCommitted(voters, voters, acked));
  }
  return `${text}${index === Number.POSITIVE_INFINITY ? '∞' : index}\n`;
}

/** The same by definition: the greatest acknowledged index that a majority of each half reaches. The fast one's slow twin. */
function slowCommitted(voters: IdSet, outgoing: IdSet, acked: (id: number) => number): number {
  const halves = [voters, outgoing].filter((half) => half.length > 0);
  if (halves.length === 0) return Number.POSITIVE_INFINITY;
  const candidates = [0, ...halves.flat().map(acked)].sort((a, b) => b - a);
  const holds = (index: number): boolean => halves.every((half) => half.filter((id) => acked(id) >= index).length * 2 > half.length);
  return candidates.find(holds) ?? 0;
}

function vote(directive: Directive): string {
  const parsed = parseCase(directive, 'votes');
  if (typeof parsed === 'string') return parsed;
  const { voters, outgoing, isJoint, values } = parsed;
  const answer = (id: number): boolean | undefined => {
    const text = values.get(id);
    return text === undefined || text === '_' ? undefined : text === 'y';
  };
  const result = isJoint ? jointVote(voters, outgoing, answer) : majorityVote(voters, answer);
  const swapped = jointVote(outgoing, voters, answer);
  const name = result === VoteWon ? 'VoteWon' : result === VoteLost ? 'VoteLost' : 'VotePending';
  return swapped === result ? `${name}\n` : `${name}\n${swapped} <-- swapped\n`;
}

/** Runs quorum scripts; they have no state. */
export function quorumRunner(): (directive: Directive) => string {
  return (directive) => (directive.command === 'vote' ? vote(directive) : committed(directive));
}
