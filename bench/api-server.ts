/**
 * CPU of one API server over memory storage, nothing else in the process: creating a pod with watchers attached, a status update, and an apply that
 * changes nothing. Prints one JSON line. Goals (issue C): create below 20 µs, unchanged apply below 10 µs.
 */
import { builtInKinds } from '../src/model/api/kinds/registry.ts';
import type { UntypedObject } from '../src/model/api/object.ts';
import type { ApiRequest } from '../src/model/api/request.ts';
import { ApiServerCore } from '../src/model/apiserver/core.ts';
import { MemoryStorage } from '../src/model/apiserver/memory-storage.ts';
import { VirtualWorld } from '../src/harness/conformance/api/virtual-world.ts';
import { runToEnd, type Task } from '../src/sim/task.ts';

const user = { name: 'admin', groups: ['system:masters'] };
const rounds = Number(process.argv[2] ?? 20_000);

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
  const begin = process.cpuUsage();
  for (let i = 0; i < count; i++) runToEnd(step(i));
  const used = process.cpuUsage(begin);
  return (used.user + used.system) / count;
}

const figures: Record<string, number> = {};
for (const managedFields of [true, false]) {
  const core = setup(managedFields);
  const suffix = managedFields ? '' : 'WithoutManagedFields';
  let events = 0;
  for (let i = 0; i < 3; i++)
    runToEnd(core.watch(request('watch', 'pods', { options: { resourceVersion: '0' } }), { send: () => events++, closed: () => {} }));
  runToEnd(
    core.watch(request('watch', 'pods', { options: { fieldSelector: 'spec.nodeName=n1', resourceVersion: '0' } }), {
      send: () => events++,
      closed: () => {},
    }),
  );
  time(2000, (i) => core.handle(request('create', 'pods', { object: pod(1_000_000 + i) })));
  figures[`createPodUs${suffix}`] = time(rounds, (i) => core.handle(request('create', 'pods', { object: pod(i) })));
  figures[`statusUpdateUs${suffix}`] = time(rounds, function* (i) {
    const read = yield* core.handle(request('get', 'pods', { name: `web-${i}`, options: { resourceVersion: '0' } }));
    const next = {
      ...(read.object as UntypedObject),
      status: {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True', lastProbeTime: null, lastTransitionTime: '2026-01-01T00:00:00Z' }],
      },
    };
    return yield* core.handle(request('update', 'pods', { name: `web-${i}`, subresource: 'status', object: next as UntypedObject }));
  });
  const patch = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { a: '1', b: '2' } };
  const apply = request('patch', 'configmaps', { name: 'c', patchType: 'apply', patch, options: { fieldManager: 'bench' } });
  time(2000, () => core.handle(apply));
  figures[`unchangedApplyUs${suffix}`] = time(rounds, () => core.handle(apply));
  const lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'n', namespace: 'default' },
    spec: { holderIdentity: 'n', leaseDurationSeconds: 40 },
  } as UntypedObject;
  const leases: Partial<ApiRequest> = { group: 'coordination.k8s.io' };
  let held = runToEnd(core.handle(request('create', 'leases', { ...leases, object: lease }))).object as UntypedObject;
  figures[`leaseRenewUs${suffix}`] = time(rounds, function* (i) {
    const next = {
      ...held,
      spec: { ...(held['spec'] as object), renewTime: `2026-01-01T00:00:00.${String(i % 1_000_000).padStart(6, '0')}Z` },
    } as UntypedObject;
    const answer = yield* core.handle(request('update', 'leases', { ...leases, name: 'n', object: next }));
    held = answer.object as UntypedObject;
    return answer;
  });
  if (events === 0) throw new Error('the watchers saw nothing');
}
for (const key of Object.keys(figures)) figures[key] = Math.round((figures[key] ?? 0) * 100) / 100;
process.stdout.write(`${JSON.stringify({ bench: 'api-server', rounds, ...figures })}\n`);
