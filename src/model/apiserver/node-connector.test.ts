import { describe, expect, it } from 'vitest';
import { SECOND } from '../../sim/time.ts';
import type { Task } from '../../sim/task.ts';
import { World } from '../../sim/world.ts';
import type { UntypedObject } from '../api/object.ts';
import { ApiTransport, type ClientRequest } from '../client/transport.ts';
import { buildCluster } from '../cluster.ts';
import { createFacts } from '../facts.ts';
import { clusterPreset } from '../presets.ts';

const user = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default', labels: { app: 'web' } },
  spec: { containers: [{ name: 'c', image: 'web:1', ports: [{ containerPort: 8080, name: 'http' }] }] },
} as unknown as UntypedObject;

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default' },
  spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
} as unknown as UntypedObject;

/** Asks a running cluster, in order, and answers what was said: text, or a Status's message. */
function ask(requests: readonly ClientRequest[]): readonly string[] {
  const world = new World({ seed: 'connect' });
  const cluster = buildCluster(world, clusterPreset('single'), { facts: createFacts() });
  const said: string[] = [];
  world.host('client-0').install({
    name: 'user',
    start: (process) => {
      const transport = new ApiTransport(process, { servers: cluster.apiServers, user, userAgent: 'kubectl' });
      const run = function* (): Task<void> {
        yield* process.sleep(20 * SECOND);
        for (const [resource, object] of [
          ['pods', pod],
          ['services', service],
        ] as const)
          yield* transport.request({ verb: 'create', group: '', version: 'v1', resource, namespace: 'default', object });
        yield* process.sleep(30 * SECOND);
        for (const request of requests) {
          const answer = yield* transport.request(request);
          said.push(answer.ok ? `${answer.response.code} ${answer.response.text?.trim() ?? ''}` : `${answer.code} ${answer.message}`);
        }
      };
      process.spawn('ask', run());
    },
  });
  world.run(70 * SECOND);
  return said;
}

function of(resource: string, subresource: string, name: string, extra: Partial<ClientRequest> = {}): ClientRequest {
  return {
    verb: 'get',
    group: '',
    version: 'v1',
    resource,
    subresource,
    namespace: resource === 'nodes' ? '' : 'default',
    name,
    ...extra,
  };
}

describe('what an API server leads on to', () => {
  it('logs come from the kubelet, and proxies reach kubelets, pods and services', () => {
    const said = ask([
      of('pods', 'log', 'web'),
      of('pods', 'log', 'web', { options: { connect: { tailLines: '0' } } }),
      of('pods', 'log', 'web', { options: { connect: { previous: 'true' } } }),
      of('pods', 'log', 'ghost'),
      of('nodes', 'proxy', 'worker-0', { options: { connect: { path: 'healthz' } } }),
      of('pods', 'proxy', 'web:8080'),
      of('services', 'proxy', 'web'),
    ]);
    expect(said).toEqual([
      '200 listening on :8080',
      '200 ',
      '400 previous terminated container "c" in pod "web" not found',
      '404 pods "ghost" not found',
      '200 ok',
      '200 default/web',
      '200 default/web',
    ]);
  });

  it('a command is answered when it has ended; streams are not', () => {
    const said = ask([
      of('pods', 'exec', 'web', { verb: 'create', options: { connect: { command: 'true' } } }),
      of('pods', 'portforward', 'web', { verb: 'create' }),
    ]);
    expect(said).toEqual(['200 exit 0', '501 streams are not modelled']);
  });
});
