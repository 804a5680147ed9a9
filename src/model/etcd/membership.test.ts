import { describe, expect, it } from 'vitest';
import type { Member } from './api.ts';
import { isError } from './errors.ts';
import { Membership, type MembershipChange } from './membership.ts';

const member = (id: number): Member => ({ id, name: `m${id}`, peerURLs: [`http://m${id}:2380`], clientURLs: [], isLearner: false });
const three = (): Membership => new Membership({ members: [1, 2, 3].map(member), removed: [] });
const replaceThree: MembershipChange = { kind: 'joint', add: [member(4)], remove: [3] };

describe('a change through joint consensus', () => {
  it('adds at once, and removes when the joint configuration is left: until then the old member votes', () => {
    const membership = three();
    expect(membership.validate(replaceThree)).toBeUndefined();
    membership.apply(replaceThree);
    expect([membership.members.map((m) => m.id), membership.isRemoved(3)]).toEqual([[1, 2, 3, 4], false]);
    membership.apply({ kind: 'leave' });
    expect(membership.rows).toEqual({ members: [1, 2, 4].map(member), removed: [3] });
  });

  it('survives a restart between the two: the rows say who is on the way out', () => {
    const membership = three();
    membership.apply(replaceThree);
    const restarted = new Membership(membership.rows);
    restarted.apply({ kind: 'leave' });
    expect(restarted.members.map((m) => m.id)).toEqual([1, 2, 4]);
  });

  it('is refused as a whole if any part of it would be', () => {
    const unknown: MembershipChange = { kind: 'joint', add: [member(4)], remove: [9] };
    const taken: MembershipChange = { kind: 'joint', add: [member(2)], remove: [3] };
    expect([unknown, taken].map((change) => isError(three().validate(change) ?? {}))).toEqual([true, true]);
  });
});
