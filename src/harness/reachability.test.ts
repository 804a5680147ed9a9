import { describe, expect, it } from 'vitest';
import { TOPOLOGIES, testTarget } from '../faults/test-world.fixture.ts';
import { watchReachability } from './reachability.ts';

/** Who has a majority by the last word of the facts, after the first host was cut off from the others. */
function quorumAfterCut(tell: (target: ReturnType<typeof testTarget>) => void, firstVoters?: readonly string[]): readonly string[] {
  const target = testTarget(TOPOLOGIES.store);
  const { world, facts, topology } = target;
  const has = new Map<string, boolean>();
  facts.memberQuorum.subscribe((member, yes) => has.set(member, yes));
  watchReachability(world, topology, facts, firstVoters);
  for (const other of ['cp-1', 'cp-2']) world.network.block(world.host('cp-0'), world.host(other), { touched: 0 });
  tell(target);
  return [...has].filter(([, yes]) => yes).map(([member]) => member);
}

describe('who can reach a majority', () => {
  it('all first members decide, at first', () => {
    expect(quorumAfterCut(() => undefined)).toEqual(['etcd-1', 'etcd-2']);
    expect(quorumAfterCut(() => undefined, ['etcd-0'])).toEqual(['etcd-0']);
  });

  it('then those of the newest configuration; what a member that lags tells counts no more', () => {
    expect(
      quorumAfterCut(({ facts }) => {
        facts.raftConfig.emit('etcd-0', 7, 'etcd-0', '', '');
        facts.raftConfig.emit('etcd-2', 3, 'etcd-0,etcd-1,etcd-2', '', '');
      }),
    ).toEqual(['etcd-0']);
  });

  it('a joint configuration needs both halves', () => {
    expect(quorumAfterCut(({ facts }) => facts.raftConfig.emit('etcd-0', 7, 'etcd-0', 'etcd-0,etcd-1,etcd-2', ''))).toEqual([]);
  });
});
