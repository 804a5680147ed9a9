import type { Fault, FaultParams } from './fault.ts';
import { operationArbitrary } from './operation.ts';

export interface EtcdAuthEnableParams extends FaultParams {
  readonly kind: 'etcd-auth-enable';
}

/** `etcdctl auth enable`, with a root user and one user for the clients. */
export const etcdAuthEnable: Fault<EtcdAuthEnableParams> = {
  kind: 'etcd-auth-enable',
  about: 'An operator makes users and a role for the clients’ keys and switches the authentication of etcd on.',
  operation: true,
  params: {},
  arbitrary: operationArbitrary,
  describe: () => 'enable etcd authentication',
  lanes: () => [],
  inject: (target) => {
    const errand = target.operator.etcdctl({ what: 'auth-enable' });
    return { heal: () => undefined, touched: () => errand.taken };
  },
};
