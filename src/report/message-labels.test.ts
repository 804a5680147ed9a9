import { describe, expect, it } from 'vitest';
import { etcdError } from '../model/etcd/errors.ts';
import { MsgApp, MsgAppResp, MsgHeartbeat, MsgVote, MsgVoteResp } from '../raft/message.ts';
import { sayMessage } from './message-labels.ts';
import { message, raft } from './trace.fixture.ts';

const say = (payload: unknown, call?: unknown) =>
  sayMessage(message(1, 1, 'a@h', 'b@h', payload, 1.1), call === undefined ? undefined : message(0, 0.9, 'b@h', 'a@h', call, 1));
const label = (payload: unknown, call?: unknown) => say(payload, call).label;

describe('sayMessage', () => {
  it('names raft messages by what they do', () => {
    const entry = (index: number) => ({
      term: 2,
      index,
      type: 0,
      data: { request: { type: 'put', key: '/registry/pods/shop/web-1' } },
      sizeBytes: 1,
    });
    expect(label(raft(MsgApp, { term: 2, index: 95, entries: [entry(96)] }))).toBe('append 96');
    expect(label(raft(MsgApp, { term: 2, index: 95, entries: [entry(96), entry(97)] }))).toBe('append 96–97');
    expect(say(raft(MsgApp, { term: 2, index: 95, entries: [entry(96)] })).detail).toContainEqual(['content', 'put pods/shop/web-1']);
    expect(label(raft(MsgAppResp, { index: 96 }))).toBe('has 96');
    expect(label(raft(MsgVote, { term: 3 }))).toBe('vote t3?');
    expect([label(raft(MsgVoteResp)), label(raft(MsgVoteResp, { reject: true }))]).toEqual(['yes', 'no']);
    expect(say(raft(MsgHeartbeat, { term: 3 }))).toMatchObject({ label: 'heartbeat t3', noise: true });
  });

  it('pairs an answer with what it answers', () => {
    const put = { t: 'call', id: 1, method: 'etcd', body: { request: { type: 'put', key: 'k' }, metadata: {} } };
    expect(say(put)).toMatchObject({ kind: 'etcd/put', label: 'put k', noise: false });
    expect(say({ t: 'answer', id: 1, body: { header: { revision: 7, raftTerm: 2 } } }, put)).toMatchObject({
      label: 'ok, revision 7',
      says: 'the answer ok, revision 7 to put k',
    });
    expect(label({ t: 'answer', id: 1, body: etcdError('noLeader') }, put)).toBe('noLeader');
  });

  it('tells API calls by verb and object, and keeps heartbeats of nodes quiet', () => {
    const call = (fields: object) => ({
      t: 'call',
      id: 1,
      method: 'api',
      body: { verb: 'patch', resource: 'pods', namespace: 'shop', name: 'web-1', user: { name: 'u', groups: [] }, ...fields },
    });
    expect(say(call({ subresource: 'status' }))).toMatchObject({ label: 'patch pods/web-1/status', noise: false });
    expect(say(call({ verb: 'update', resource: 'leases' })).noise).toBe(true);
    expect(label({ t: 'answer', id: 1, body: { code: 409, object: { reason: 'Conflict', message: 'changed' } } }, call({}))).toBe(
      '409 Conflict',
    );
    expect(label({ t: 'answer', id: 1, body: { code: 200, object: { metadata: { resourceVersion: '8' } } } }, call({}))).toBe('200');
    const watch = { t: 'open', id: 2, method: 'watch', body: { verb: 'watch', resource: 'pods', user: { name: 'u', groups: [] } } };
    expect(label({ t: 'message', id: 2, body: [{ type: 'ADDED', object: { metadata: { name: 'web-1' } } }] }, watch)).toBe('ADDED web-1');
    expect(say({ t: 'message', id: 2, body: [{ type: 'BOOKMARK', object: {} }] }, watch).noise).toBe(true);
  });
});
