import type { Fault, FaultParams } from './fault.ts';
import { paramsArbitrary } from './params.ts';
import { programNames, type Topology } from './topology.ts';

export interface MoveLeaderParams extends FaultParams {
  readonly kind: 'move-leader';
  readonly member: string;
}

function members(topology: Topology): readonly string[] {
  const names = programNames(topology, 'etcd-');
  return names.length > 1 ? names : [];
}

const params = { member: { type: 'name', of: members } } as const;

/** `etcdctl move-leader`. */
export const moveLeader: Fault<MoveLeaderParams> = {
  kind: 'move-leader',
  about: 'An operator moves the etcd leadership to the named member.',
  operation: true,
  params,
  arbitrary: (topology) => paramsArbitrary<MoveLeaderParams>('move-leader', params, topology),
  describe: (p) => `move etcd leadership to ${p.member}`,
  lanes: (p) => [p.member],
  inject: (target, p) => {
    const errand = target.operator.moveLeader(p.member);
    return { heal: () => undefined, touched: () => errand.taken };
  },
};
