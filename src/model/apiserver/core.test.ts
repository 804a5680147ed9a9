import { describe, expect, it } from 'vitest';
import { runToEnd } from '../../sim/task.ts';
import { builtInKinds } from '../api/kinds/registry.ts';
import type { UntypedObject } from '../api/object.ts';
import type { ApiRequest, ApiResponse, WatchEvent } from '../api/request.ts';
import { ApiServerCore } from './core.ts';
import type { ServerEnvironment } from './environment.ts';
import { MemoryStorage } from './memory-storage.ts';

const user = { name: 'admin', groups: ['system:masters'] };

function environment(): ServerEnvironment {
  let state = 1;
  return {
    now: () => 1_700_000_000_000_000,
    random: () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state;
    },
    setTimer: () => () => {},
    spawn: (task) => {
      task.next()?.value?.(
        () => {},
        () => {},
      );
    },
  };
}

function server(): ApiServerCore {
  return new ApiServerCore({ storage: new MemoryStorage(), environment: environment() });
}

function request(verb: ApiRequest['verb'], resource: string, extra: Partial<ApiRequest> = {}): ApiRequest {
  return { verb, group: '', version: 'v1', resource, namespace: 'default', user, ...extra };
}

function configMap(name: string, data: Record<string, string> = {}): UntypedObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data };
}

describe('ApiServerCore', () => {
  it('creates, reads, updates with optimistic concurrency, and deletes', () => {
    const core = server();
    const run = (r: ApiRequest): ApiResponse => runToEnd(core.handle(r));
    const created = run(request('create', 'configmaps', { object: configMap('a', { k: 'v' }) }));
    expect(created.code).toBe(201);
    const object = created.object as UntypedObject;
    expect(object.metadata.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const next = { ...object, data: { k: 'w' } };
    const updated = run(request('update', 'configmaps', { name: 'a', object: next }));
    expect(updated.code).toBe(200);
    expect(run(request('update', 'configmaps', { name: 'a', object: next })).object).toMatchObject({ reason: 'Conflict' });
    expect(run(request('get', 'configmaps', { name: 'a' })).object).toEqual(updated.object);
    expect(run(request('delete', 'configmaps', { name: 'a' })).object).toMatchObject({ status: 'Success' });
    expect(run(request('get', 'configmaps', { name: 'a' })).code).toBe(404);
  });

  it('watches from a list and sends every later change once', () => {
    const core = server();
    runToEnd(core.handle(request('create', 'configmaps', { object: configMap('a') })));
    const list = runToEnd(core.handle(request('list', 'configmaps'))).object as { metadata: { resourceVersion: string } };
    const events: WatchEvent[] = [];
    const handle = runToEnd(
      core.watch(request('watch', 'configmaps', { options: { resourceVersion: list.metadata.resourceVersion } }), {
        send: (event) => events.push(event),
        closed: () => {},
      }),
    );
    runToEnd(core.handle(request('create', 'configmaps', { object: configMap('b') })));
    runToEnd(core.handle(request('delete', 'configmaps', { name: 'a' })));
    expect(events.map((e) => [e.type, (e.object as UntypedObject).metadata.name])).toEqual([
      ['ADDED', 'b'],
      ['DELETED', 'a'],
    ]);
    if ('stop' in handle) handle.stop();
  });

  it('lets the approval subresource, and not status, add a condition Approved to a certificate signing request', () => {
    const core = new ApiServerCore({ storage: new MemoryStorage(), environment: environment(), kinds: builtInKinds });
    const csr = (verb: ApiRequest['verb'], extra: Partial<ApiRequest>): ApiResponse => {
      const { namespace: _, ...cluster } = request(verb, 'certificatesigningrequests', { group: 'certificates.k8s.io', ...extra });
      return runToEnd(core.handle(cluster));
    };
    const created = csr('create', {
      object: {
        apiVersion: 'certificates.k8s.io/v1',
        kind: 'CertificateSigningRequest',
        metadata: { name: 'kubelet' },
        spec: { request: 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K', signerName: 'example.com/signer', usages: ['client auth'] },
      },
    });
    expect(created.object).toMatchObject({ metadata: { name: 'kubelet' } });
    const object = {
      ...(created.object as UntypedObject),
      status: { conditions: [{ type: 'Approved', status: 'True', reason: 'ByHand', message: 'checked' }] },
    };
    expect(csr('update', { name: 'kubelet', subresource: 'status', object }).object).toMatchObject({ reason: 'Invalid' });
    expect(csr('update', { name: 'kubelet', subresource: 'approval', object }).object).toMatchObject({
      status: { conditions: [{ type: 'Approved' }] },
    });
  });

  it('refuses what an update or patch makes too big for etcd, but not what only came in a big body', () => {
    const core = server();
    const run = (r: ApiRequest): ApiResponse => runToEnd(core.handle(r));
    const half = 'x'.repeat(900_000);
    expect(run(request('create', 'configmaps', { object: configMap('a', { one: half }), bodyBytes: 900_100 })).code).toBe(201);
    const patch = { data: { two: half } };
    const grown = run(request('patch', 'configmaps', { name: 'a', patchType: 'merge', patch, bodyBytes: 900_100 }));
    expect(grown.object).toMatchObject({ code: 500, message: 'etcdserver: request is too large' });
    const moved = { data: { one: null, two: half } };
    expect(run(request('patch', 'configmaps', { name: 'a', patchType: 'merge', patch: moved, bodyBytes: 900_100 })).code).toBe(200);
  });
});
