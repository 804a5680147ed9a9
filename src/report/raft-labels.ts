import type { TraceMessage } from '../harness/recorder.ts';
import {
  type Message,
  MsgApp,
  MsgAppResp,
  MsgHeartbeat,
  MsgHeartbeatResp,
  MsgPreVote,
  MsgPreVoteResp,
  MsgProp,
  MsgReadIndex,
  MsgReadIndexResp,
  MsgSnap,
  MsgTimeoutNow,
  MsgTransferLeader,
  MsgVote,
  MsgVoteResp,
  messageTypeName,
} from '../raft/message.ts';
import { etcdRequest, type MessageWords } from './request-words.ts';
import type { EtcdRequest } from '../model/etcd/api.ts';

/** The raft message that a recorded message carries. */
export function raftOf(message: TraceMessage): Message {
  return message.payload as Message;
}

/** What an entry holds, in a few words. */
export function entryText(data: unknown): string {
  const request = (data as { readonly request?: EtcdRequest } | undefined)?.request;
  if (request !== undefined && typeof request.type === 'string') return etcdRequest(request);
  return data === undefined ? '(empty)' : 'membership';
}

/** A raft message in words; the paper's names for what it has a name for. */
export function sayRaft(message: TraceMessage): MessageWords {
  const m = raftOf(message);
  const term: readonly [string, string] = ['term', String(m.term)];
  const words = (kind: string, label: string, says: string, detail: MessageWords['detail'], noise = false): MessageWords => ({
    kind: `raft/${kind}`,
    label,
    says,
    detail,
    noise,
  });
  switch (m.type) {
    case MsgApp: {
      const first = m.entries[0];
      const last = m.entries.at(-1);
      if (first === undefined || last === undefined) {
        return words('append', `commit ${m.commit}`, `the commit index ${m.commit}`, [term, ['commit index', String(m.commit)]], true);
      }
      const range = first.index === last.index ? `${first.index}` : `${first.index}–${last.index}`;
      return words('append', `append ${range}`, `${first.index === last.index ? 'entry' : 'entries'} ${range}`, [
        term,
        ['entries', `${range}, term ${last.term}`],
        ['content', m.entries.length === 1 ? entryText(first.data) : `${entryText(first.data)} …`],
        ['follows', `${m.index}, term ${m.logTerm}`],
        ['commit index', String(m.commit)],
      ]);
    }
    case MsgAppResp:
      return m.reject
        ? words('append-answer', `no, has ${m.rejectHint}`, `that its log does not match at ${m.index}`, [
            term,
            ['log ends at', String(m.rejectHint)],
          ])
        : words('append-answer', `has ${m.index}`, `that it stored up to entry ${m.index}`, [term, ['stored up to', String(m.index)]]);
    case MsgVote:
      return words('vote', `vote t${m.term}?`, `a request for its vote in term ${m.term}`, [
        term,
        ['last entry', `${m.index}, term ${m.logTerm}`],
      ]);
    case MsgVoteResp:
      return words('vote', m.reject ? 'no' : 'yes', m.reject ? `a refusal of its vote in term ${m.term}` : `its vote in term ${m.term}`, [
        term,
        ['vote', m.reject ? 'refused' : 'granted'],
      ]);
    case MsgPreVote:
      return words('pre-vote', `pre-vote t${m.term}?`, `the question whether it would vote in term ${m.term}`, [
        term,
        ['last entry', `${m.index}, term ${m.logTerm}`],
      ]);
    case MsgPreVoteResp:
      return words(
        'pre-vote',
        m.reject ? 'no' : 'yes',
        m.reject ? 'that it would not vote for it' : `that it would vote for it in term ${m.term}`,
        [term, ['pre-vote', m.reject ? 'refused' : 'granted']],
      );
    case MsgHeartbeat:
      return m.context === 0
        ? words('heartbeat', `heartbeat t${m.term}`, 'a heartbeat', [term, ['commit index', String(m.commit)]], true)
        : words(
            'heartbeat',
            `still leader t${m.term}?`,
            'a heartbeat that asks whether it still leads, for a read',
            [term, ['read', String(m.context)]],
            true,
          );
    case MsgHeartbeatResp:
      return words('heartbeat', m.context === 0 ? '' : 'yes', 'the answer to its heartbeat', [term], true);
    case MsgProp:
      return words(
        'propose',
        `forward ${entryText(m.entries[0]?.data)}`,
        `the proposal ${entryText(m.entries[0]?.data)}, because it leads`,
        [['content', entryText(m.entries[0]?.data)]],
      );
    case MsgReadIndex:
      return words('read-index', 'read index?', 'the question up to which entry a read must wait', [], true);
    case MsgReadIndexResp:
      return words(
        'read-index',
        `read at ${m.index}`,
        `that reads must wait for entry ${m.index}`,
        [['read index', String(m.index)]],
        true,
      );
    case MsgSnap:
      return words('snapshot', 'snapshot', 'a snapshot of the store', [term]);
    case MsgTransferLeader:
      return words('transfer', 'move leader', 'the wish to move leadership', [term]);
    case MsgTimeoutNow:
      return words('transfer', 'campaign now', 'the order to campaign at once', [term]);
    default:
      return words('message', messageTypeName(m.type), messageTypeName(m.type), [term], true);
  }
}
