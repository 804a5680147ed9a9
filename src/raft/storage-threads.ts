import {
  AppendThread,
  ApplyThread,
  blankMessage,
  type Message,
  MsgStorageAppend,
  MsgStorageAppendResp,
  MsgStorageApply,
  MsgStorageApplyResp,
} from './message.ts';
import type { Raft } from './raft.ts';
import { type Entry, emptyHardState, type HardState, type Snapshot } from './types.ts';

/**
 * The messages of a Ready with asynchronous storage writes: those that may leave at once, then the work for the append thread, then
 * the work for the apply thread, each with the responses that are due when it is done.
 */
export function takeMessagesForThreads(
  r: Raft,
  entries: readonly Entry[],
  hardState: HardState | undefined,
  snapshot: Snapshot | undefined,
  committed: readonly Entry[],
): readonly Message[] {
  const { messages, messagesAfterAppend: responses } = r;
  r.messages = [];
  r.messagesAfterAppend = [];
  if (entries.length > 0 || hardState !== undefined || snapshot !== undefined || responses.length > 0) {
    // Acknowledged even if this Ready has no entries: if the acknowledgement of earlier ones was dropped for its old term, this
    // one attests them again (upstream: newStorageAppendRespMsg).
    if (r.log.unstable.length > 0 || snapshot !== undefined) responses.push(appendDone(r, snapshot));
    // Without a change of the hard state all three are zero, and the host persists none.
    const { term, vote, commit } = hardState ?? emptyHardState;
    messages.push(blankMessage(MsgStorageAppend, { to: AppendThread, from: r.id, term, vote, commit, entries, snapshot, responses }));
  }
  if (committed.length > 0) {
    const done = blankMessage(MsgStorageApplyResp, { to: r.id, from: ApplyThread, entries: committed });
    messages.push(blankMessage(MsgStorageApply, { to: ApplyThread, from: r.id, entries: committed, responses: [done] }));
  }
  return messages;
}

function appendDone(r: Raft, snapshot: Snapshot | undefined): Message {
  const hasEntries = r.log.unstable.length > 0;
  return blankMessage(MsgStorageAppendResp, {
    to: r.id,
    from: AppendThread,
    term: r.term,
    index: hasEntries ? r.log.lastIndex() : 0,
    logTerm: hasEntries ? r.log.lastTerm() : 0,
    snapshot,
  });
}
