import { NODES } from '../client/resources.ts';
import { ApiTransport } from '../client/transport.ts';
import { Client } from '../client/typed-client.ts';
import type { Program } from '../../sim/host.ts';
import type { Endpoint } from '../../sim/network.ts';
import { SECOND } from '../../sim/time.ts';

const LABEL = 'node-role.kubernetes.io/control-plane';

/**
 * kubeadm's phase of that name: an administrator gives the nodes of control planes their role label, which kubelets may not set
 * themselves (NodeRestriction). Ends its work when all have it.
 */
export function markControlPlane(nodes: readonly string[], servers: readonly Endpoint[]): Program {
  return {
    name: 'mark-control-plane',
    start(process) {
      const user = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };
      const client = new Client(new ApiTransport(process, { servers, user, userAgent: 'kubeadm' })).resource(NODES);
      process.spawn(
        'mark',
        (function* () {
          for (const name of nodes) {
            for (;;) {
              const marked = yield* client.patch('', name, 'strategic', { metadata: { labels: { [LABEL]: '' } } });
              if (marked.ok) break;
              yield* process.sleep(2 * SECOND);
            }
          }
        })(),
      );
    },
  };
}
