import { etcdMembers } from './crash-at-fact.ts';
import type { Fault, FaultParams } from './fault.ts';
import { operationArbitrary } from './operation.ts';

export interface EtcdMemberPromoteParams extends FaultParams {
  readonly kind: 'etcd-member-promote';
  readonly member: string;
}

/** `etcdctl member promote`. */
export const etcdMemberPromote: Fault<EtcdMemberPromoteParams> = {
  kind: 'etcd-member-promote',
  about: 'An operator makes a learner of the etcd cluster a voting member.',
  operation: true,
  params: { member: { type: 'name', of: etcdMembers } },
  arbitrary: operationArbitrary,
  describe: (p) => `promote ${p.member}`,
  lanes: (p) => [p.member],
  inject: (target, p) => {
    const errand = target.operator.etcdctl({ what: 'member-promote', member: p.member });
    return { heal: () => undefined, touched: () => errand.taken };
  },
};
