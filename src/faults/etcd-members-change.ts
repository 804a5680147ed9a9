import { etcdMembers } from './crash-at-fact.ts';
import type { Fault, FaultParams } from './fault.ts';
import { operationArbitrary } from './operation.ts';

export interface EtcdMembersChangeParams extends FaultParams {
  readonly kind: 'etcd-members-change';
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** Several members at once, through joint consensus. etcd's raft can do it, its API does not offer it: others that use the library do. */
export const etcdMembersChange: Fault<EtcdMembersChangeParams> = {
  kind: 'etcd-members-change',
  about: 'An operator adds and removes members of the etcd cluster in one step, through a joint configuration.',
  operation: true,
  params: { add: { type: 'names', of: etcdMembers, min: 0 }, remove: { type: 'names', of: etcdMembers, min: 0 } },
  arbitrary: operationArbitrary,
  describe: (p) => `change members ${[...p.add.map((m) => `+${m}`), ...p.remove.map((m) => `−${m}`)].join(' ')}`,
  lanes: (p) => [...p.add, ...p.remove],
  inject: (target, p) => {
    const errand = target.operator.etcdctl({ what: 'members-change', add: p.add, remove: p.remove });
    return { heal: () => undefined, touched: () => errand.taken };
  },
};
