import type { Fault, FaultParams } from './fault.ts';
import { paramsArbitrary } from './params.ts';

export interface EtcdCompactParams extends FaultParams {
  readonly kind: 'etcd-compact';
  /** So many revisions below the newest one. */
  readonly behind: number;
  /** The operator deletes a key first and compacts at the revision of that delete; `behind` says nothing then. */
  readonly deletes: boolean;
}

const params = { behind: { type: 'integer', min: 0, max: 1000, unit: 'revisions' }, deletes: { type: 'boolean' } } as const;

/** `etcdctl compact`. */
export const etcdCompact: Fault<EtcdCompactParams> = {
  kind: 'etcd-compact',
  about: 'An operator compacts the store a little below its newest revision, or right at the delete of a key.',
  operation: true,
  params,
  arbitrary: (topology) => paramsArbitrary<EtcdCompactParams>('etcd-compact', params, topology),
  describe: (p) => (p.deletes ? 'compact etcd at a delete' : `compact etcd ${p.behind} revisions behind`),
  lanes: () => [],
  inject: (target, p) => {
    const errand = target.operator.etcdctl({ what: 'compact', behind: p.behind, deletes: p.deletes });
    return { heal: () => undefined, touched: () => errand.taken };
  },
};
