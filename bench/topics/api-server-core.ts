/** CPU of one API server's core over memory storage, nothing else in the process. Own goals: create below 20 µs, unchanged apply below 10 µs. */
import type { Figure, Topic } from '../figure.ts';
import { cpuOf } from '../clock.ts';
import { builtInKinds } from '../../src/model/api/kinds/registry.ts';
import type { UntypedObject } from '../../src/model/api/object.ts';
import type { ApiRequest } from '../../src/model/api/request.ts';
import { ApiServerCore } from '../../src/model/apiserver/core.ts';
import { MemoryStorage } from '../../src/model/apiserver/memory-storage.ts';
import { VirtualWorld } from '../../src/harness/conformance/api/virtual-world.ts';
import { runToEnd, type Task } from '../../src/sim/task.ts';

const user = { name: 'admin', groups: ['system:masters'] };
const ROUNDS = 20_000;
/** Creates in a server that is thrown away: after so many V8 has compiled what it will compile. */
const WARM_UP = 40_000;

function setup(managedFields: boolean): ApiServerCore {
  const world = new VirtualWorld(1_767_225_600_000_000);
  return new ApiServerCore({
    storage: new MemoryStorage(),
    environment: world.environment,
    kinds: builtInKinds,
    options: { managedFields },
  });
}

function request(verb: ApiRequest['verb'], resource: string, extra: Partial<ApiRequest>): ApiRequest {
  return { verb, group: '', version: 'v1', resource, namespace: 'default', user, userAgent: 'bench', ...extra };
}

function pod(i: number): UntypedObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `web-${i}`, namespace: 'default', labels: { app: 'web', 'pod-template-hash': 'abc' } },
    spec: {
      containers: [
        {
          name: 'app',
          image: 'registry.example/app:1',
          ports: [{ containerPort: 80 }],
          resources: { requests: { cpu: '100m', memory: '64Mi' } },
        },
      ],
    },
  };
}

function time(count: number, step: (i: number) => Task<unknown>): number {
  const used = cpuOf(() => {
    for (let i = 0; i < count; i++) runToEnd(step(i));
  });
  return (used * 1e6) / count;
}

function* core(managedFields: boolean): Generator<Figure> {
  const colder = setup(managedFields);
  time(WARM_UP, (i) => colder.handle(request('create', 'pods', { object: pod(i) })));
  const server = setup(managedFields);
  const suffix = managedFields ? '' : '-untracked';
  let events = 0;
  for (let i = 0; i < 3; i++)
    runToEnd(server.watch(request('watch', 'pods', { options: { resourceVersion: '0' } }), { send: () => events++, closed: () => {} }));
  runToEnd(
    server.watch(request('watch', 'pods', { options: { fieldSelector: 'spec.nodeName=n1', resourceVersion: '0' } }), {
      send: () => events++,
      closed: () => {},
    }),
  );
  yield figure(`api-create-pod${suffix}`, ROUNDS, (i) => server.handle(request('create', 'pods', { object: pod(i) })));
  yield figure(`api-status-update${suffix}`, ROUNDS, function* (i) {
    const read = yield* server.handle(request('get', 'pods', { name: `web-${i}`, options: { resourceVersion: '0' } }));
    const next = {
      ...(read.object as UntypedObject),
      status: {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True', lastProbeTime: null, lastTransitionTime: '2026-01-01T00:00:00Z' }],
      },
    };
    return yield* server.handle(request('update', 'pods', { name: `web-${i}`, subresource: 'status', object: next as UntypedObject }));
  });
  const patch = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { a: '1', b: '2' } };
  const apply = request('patch', 'configmaps', { name: 'c', patchType: 'apply', patch, options: { fieldManager: 'bench' } });
  time(2000, () => server.handle(apply));
  yield figure(`api-unchanged-apply${suffix}`, ROUNDS, () => server.handle(apply));
  const lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'n', namespace: 'default' },
    spec: { holderIdentity: 'n', leaseDurationSeconds: 40 },
  } as UntypedObject;
  const leases: Partial<ApiRequest> = { group: 'coordination.k8s.io' };
  let held = runToEnd(server.handle(request('create', 'leases', { ...leases, object: lease }))).object as UntypedObject;
  yield figure(`api-lease-renew${suffix}`, ROUNDS, function* (i) {
    const next = {
      ...held,
      spec: { ...(held['spec'] as object), renewTime: `2026-01-01T00:00:00.${String(i % 1_000_000).padStart(6, '0')}Z` },
    } as UntypedObject;
    const answer = yield* server.handle(request('update', 'leases', { ...leases, name: 'n', object: next }));
    held = answer.object as UntypedObject;
    return answer;
  });
  if (events === 0) throw new Error('the watchers saw nothing');
}

function figure(name: string, count: number, step: (i: number) => Task<unknown>): Figure {
  return { name, value: time(count, step), unit: 'CPU-µs' };
}

export const apiServerCore: Topic = {
  name: 'api-server',
  *run() {
    yield* core(true);
    yield* core(false);
  },
};
