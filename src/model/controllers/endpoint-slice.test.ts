import { describe, expect, it } from 'vitest';
import type { Task } from '../../sim/task.ts';
import { SECOND } from '../../sim/time.ts';
import { World } from '../../sim/world.ts';
import { builtInKinds } from '../api/kinds/registry.ts';
import type { Json } from '../api/object.ts';
import type { EndpointSlice, Node, Pod } from '../api/types.ts';
import { MemoryStorage } from '../apiserver/memory-storage.ts';
import { apiServer } from '../apiserver/server.ts';
import { ENDPOINT_SLICES, NODES, PODS, SERVICES } from '../client/resources.ts';
import { ApiTransport } from '../client/transport.ts';
import { Client } from '../client/typed-client.ts';
import { type DefectSet, NO_DEFECTS } from '../defects.ts';
import { createFacts } from '../facts.ts';
import { DEFAULT_CONTROLLER_MANAGER_CONFIG } from './config.ts';
import { startEndpointSliceController } from './endpoint-slice.ts';
import { controllerManager } from './manager.ts';

const ready = (status: 'True' | 'False'): Json => ({ status: { conditions: [{ type: 'Ready', status }] } });

/** Readiness of the only endpoint at the end, after the pod flipped twice while the controller's slice watch stood still. */
function flipTwiceBehindStall(defects: DefectSet): boolean | undefined {
  const world = new World({ seed: 'k10' });
  const host = world.addHost({ name: 'cp-0', zone: 'zone-a' });
  const facts = createFacts();
  const servers = [world.network.endpoint('cp-0', '6443')];
  const storage = new MemoryStorage();
  host.install(apiServer({ name: 'api-0', address: 'cp-0', storage: () => storage, kinds: builtInKinds, facts }));
  const config = { ...DEFAULT_CONTROLLER_MANAGER_CONFIG, leaderElect: false };
  host.install(
    controllerManager({
      name: 'kcm-0',
      servers,
      controllers: [{ name: 'endpointslice-controller', start: startEndpointSliceController }],
      config,
      facts,
      defects,
    }),
  );
  const hold = { process: 'kcm-0', label: 'watch endpointslices', touched: 0 };
  let answer: boolean | undefined;
  host.install({
    name: 'user-0',
    start: (process) => {
      const client = new Client(
        new ApiTransport(process, { servers, user: { name: 'admin', groups: ['system:masters'] }, userAgent: 'test' }),
      );
      const pods = client.resource(PODS);
      process.spawn(
        'steps',
        (function* (): Task<void> {
          yield* process.sleep(5 * SECOND);
          yield* client.resource(NODES).create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, spec: {} } as Node);
          const spec = { containers: [{ name: 'c', image: 'app:v1' }], nodeName: 'n1' };
          yield* pods.create({
            apiVersion: 'v1',
            kind: 'Pod',
            metadata: { name: 'p', namespace: 'default', labels: { app: 'web' } },
            spec,
          } as Pod);
          yield* pods.patch(
            'default',
            'p',
            'strategic',
            { status: { phase: 'Running', podIP: '10.1.0.1', podIPs: [{ ip: '10.1.0.1' }] } },
            { subresource: 'status' },
          );
          yield* pods.patch('default', 'p', 'strategic', ready('True'), { subresource: 'status' });
          yield* client.resource(SERVICES).create({
            apiVersion: 'v1',
            kind: 'Service',
            metadata: { name: 'web', namespace: 'default' },
            spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
          });
          yield* process.sleep(5 * SECOND);
          world.streams.hold(hold);
          yield* pods.patch('default', 'p', 'strategic', ready('False'), { subresource: 'status' });
          yield* process.sleep(5 * SECOND);
          yield* pods.patch('default', 'p', 'strategic', ready('True'), { subresource: 'status' });
          yield* process.sleep(5 * SECOND);
          world.streams.release(hold);
          yield* process.sleep(60 * SECOND);
          const slices = yield* client.resource(ENDPOINT_SLICES).list('default');
          if (!slices.ok) return;
          const own = (slices.object.items as readonly EndpointSlice[]).find(
            (slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === 'web',
          );
          answer = own?.endpoints[0]?.conditions?.ready;
        })(),
      );
    },
  });
  world.run(120 * SECOND);
  expect(hold.touched).toBeGreaterThan(0);
  return answer;
}

describe('EndpointSlice controller behind a stalled watch', () => {
  it('comes to the truth, because it notices that its copy is stale', () => {
    expect(flipTwiceBehindStall(NO_DEFECTS)).toBe(true);
  });

  it('with defect K10 finds the stale copy equal and never tries again (kubernetes#127429)', () => {
    expect(flipTwiceBehindStall(new Set(['K10']))).toBe(false);
  });
});
