import { etcdMembers } from './crash-at-fact.ts';
import type { Fault, FaultParams } from './fault.ts';
import { operationArbitrary } from './operation.ts';

export interface EtcdLearnerAddParams extends FaultParams {
  readonly kind: 'etcd-learner-add';
  readonly member: string;
}

/** `etcdctl member add --learner`, of a spare member, which then starts. */
export const etcdLearnerAdd: Fault<EtcdLearnerAddParams> = {
  kind: 'etcd-learner-add',
  about: 'An operator adds a spare member to the etcd cluster as a learner.',
  operation: true,
  params: { member: { type: 'name', of: etcdMembers } },
  arbitrary: operationArbitrary,
  describe: (p) => `add learner ${p.member}`,
  lanes: (p) => [p.member],
  inject: (target, p) => {
    const errand = target.operator.etcdctl({ what: 'learner-add', member: p.member });
    return { heal: () => undefined, touched: () => errand.taken };
  },
};
