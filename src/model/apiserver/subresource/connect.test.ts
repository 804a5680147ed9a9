import { describe, expect, it } from 'vitest';
import { runToEnd } from '../../../sim/task.ts';
import { builtInKinds } from '../../api/kinds/registry.ts';
import type { Status, UntypedObject } from '../../api/object.ts';
import type { ApiResponse, Verb } from '../../api/request.ts';
import { ApiServerCore } from '../core.ts';
import { MemoryStorage } from '../memory-storage.ts';

const user = { name: 'admin', groups: ['system:masters'] };

function fixture() {
  let state = 1;
  const core = new ApiServerCore({
    storage: new MemoryStorage(),
    environment: {
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
    },
    kinds: builtInKinds,
  });
  const call = (
    verb: Verb,
    resource: string,
    name: string,
    subresource: string,
    connect: Readonly<Record<string, string>> = {},
  ): ApiResponse =>
    runToEnd(
      core.handle({
        verb,
        group: '',
        version: 'v1',
        resource,
        name,
        subresource,
        ...(resource === 'nodes' ? {} : { namespace: 'default' }),
        options: { connect },
        user,
      }),
    );
  const create = (resource: string, object: object): void => {
    const where = resource === 'nodes' ? {} : { namespace: 'default' };
    runToEnd(core.handle({ verb: 'create', group: '', version: 'v1', resource, ...where, object: object as UntypedObject, user }));
  };
  return { call, create };
}

function pod(name: string, containers: readonly string[], nodeName?: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: containers.map((one) => ({ name: one, image: 'i' })), ...(nodeName === undefined ? {} : { nodeName }) },
  };
}

function messageOf({ object }: ApiResponse): string | undefined {
  return (object as Status).message;
}

describe('connections through the API server', () => {
  it('need a container where there are several', () => {
    const { call, create } = fixture();
    create('pods', pod('two', ['a', 'b']));
    const refused = call('get', 'pods', 'two', 'log');
    expect(refused.code).toBe(400);
    expect(messageOf(refused)).toBe('a container name must be specified for pod two, choose one of: [a b]');
    expect(call('get', 'pods', 'two', 'log', { container: 'b' })).toMatchObject({ code: 204, text: '' });
  });

  it('need a node', () => {
    const { call, create } = fixture();
    create('pods', pod('free', ['a']));
    create('pods', pod('lost', ['a'], 'gone'));
    expect(messageOf(call('create', 'pods', 'free', 'exec'))).toBe('pod free does not have a host assigned');
    expect(messageOf(call('get', 'pods', 'lost', 'portforward'))).toBe('pods "gone" not found');
    expect(call('delete', 'pods', 'free', 'exec').code).toBe(405);
  });

  it('end at the first hop: nobody listens there', () => {
    const { call, create } = fixture();
    create('nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n' },
      status: { addresses: [{ type: 'InternalIP', address: '192.0.2.9' }] },
    });
    create('pods', pod('p', ['a'], 'n'));
    expect(messageOf(call('get', 'pods', 'p', 'log'))).toContain('dial tcp 192.0.2.9:10250: connect: connection refused');
    expect(call('get', 'services', 'none', 'proxy').code).toBe(404);
    create('services', { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } });
    expect(messageOf(call('get', 'services', 's:80', 'proxy'))).toBe('no endpoints available for service "s:80"');
    expect(messageOf(call('get', 'pods', 'p', 'proxy'))).toBe('address not allowed');
  });
});
