import { etcdMembers } from './crash-at-fact.ts';
import type { Fault, FaultParams } from './fault.ts';
import { operationArbitrary } from './operation.ts';

export interface EtcdMemberAddParams extends FaultParams {
  readonly kind: 'etcd-member-add';
  readonly name: string;
  /** The member that the operator asks; absent: whichever answers. */
  readonly through?: string;
}

/** `etcdctl member add`: of a spare, named by its host, which then starts; or of a member that nobody ever starts. */
export const etcdMemberAdd: Fault<EtcdMemberAddParams> = {
  kind: 'etcd-member-add',
  about: 'An operator adds a member to the etcd cluster; unless it is a spare it is never started.',
  operation: true,
  params: { name: { type: 'text' }, through: { type: 'name', of: etcdMembers, optional: true } },
  arbitrary: operationArbitrary,
  describe: (p) => `add etcd member ${p.name}${p.through === undefined ? '' : ` through ${p.through}`}`,
  lanes: () => [],
  inject: (target, p) => {
    const errand = target.operator.etcdctl({ what: 'member-add', name: p.name }, p.through);
    return { heal: () => undefined, touched: () => errand.taken };
  },
};
