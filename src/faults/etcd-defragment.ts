import { etcdMembers } from './crash-at-fact.ts';
import type { Fault, FaultParams } from './fault.ts';
import { paramsArbitrary } from './params.ts';

export interface EtcdDefragmentParams extends FaultParams {
  readonly kind: 'etcd-defragment';
  readonly member: string;
}

const params = { member: { type: 'name', of: etcdMembers } } as const;

/** `etcdctl defrag`. */
export const etcdDefragment: Fault<EtcdDefragmentParams> = {
  kind: 'etcd-defragment',
  about: 'An operator defragments the backend of the etcd member.',
  operation: true,
  params,
  arbitrary: (topology) => paramsArbitrary<EtcdDefragmentParams>('etcd-defragment', params, topology),
  describe: (p) => `defragment ${p.member}`,
  lanes: (p) => [p.member],
  inject: (target, p) => {
    const errand = target.operator.etcdctl({ what: 'defragment', member: p.member });
    return { heal: () => undefined, touched: () => errand.taken };
  },
};
