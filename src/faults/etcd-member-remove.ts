import { etcdMembers } from './crash-at-fact.ts';
import type { Fault, FaultParams } from './fault.ts';
import { operationArbitrary } from './operation.ts';

export interface EtcdMemberRemoveParams extends FaultParams {
  readonly kind: 'etcd-member-remove';
  readonly member: string;
  /** The member that the operator asks; absent: whichever answers. */
  readonly through?: string;
}

/** `etcdctl member remove`. */
export const etcdMemberRemove: Fault<EtcdMemberRemoveParams> = {
  kind: 'etcd-member-remove',
  about: 'An operator removes a member from the etcd cluster; it ends by itself.',
  operation: true,
  params: { member: { type: 'name', of: etcdMembers }, through: { type: 'name', of: etcdMembers, optional: true } },
  arbitrary: operationArbitrary,
  describe: (p) => `remove ${p.member}${p.through === undefined ? '' : ` through ${p.through}`}`,
  lanes: (p) => [p.member],
  inject: (target, p) => {
    const errand = target.operator.etcdctl({ what: 'member-remove', member: p.member }, p.through);
    return { heal: () => undefined, touched: () => errand.taken };
  },
};
