import type { Entry } from '../../../raft/types.ts';
import { finalize32, mixWord } from '../../../sim/mix.ts';
import type { Proposal } from '../proposal.ts';

/** Identifies the content of an entry in facts: the proposal's own hash, or its position where it has no payload of ours. */
export function entryHash(entry: Entry): number {
  if (entry.type === 0 && entry.data !== undefined) return (entry.data as Proposal).hash;
  return finalize32(mixWord(mixWord(entry.type + 1, entry.index), entry.term));
}
