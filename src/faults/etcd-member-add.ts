import type { Fault, FaultParams } from './fault.ts';
import { operationArbitrary } from './operation.ts';

export interface EtcdMemberAddParams extends FaultParams {
  readonly kind: 'etcd-member-add';
  readonly name: string;
}

/** `etcdctl member add`, of a member that is never started. */
export const etcdMemberAdd: Fault<EtcdMemberAddParams> = {
  kind: 'etcd-member-add',
  about: 'An operator adds a member to the etcd cluster and never starts it.',
  operation: true,
  params: { name: { type: 'text' } },
  arbitrary: operationArbitrary,
  describe: (p) => `add etcd member ${p.name}`,
  lanes: () => [],
  inject: (target, p) => {
    target.operator.etcdctl({ what: 'member-add', name: p.name });
    return { heal: () => undefined, touched: () => 1 };
  },
};
