import { describe, expect, it } from 'vitest';
import { builtInKinds } from '../api/kinds/registry.ts';
import { admissionPlugins } from '../apiserver/admission/default-plugins.ts';
import { MemoryStorage } from '../apiserver/memory-storage.ts';
import { apiServer } from '../apiserver/server.ts';
import type { ConfigMap } from '../api/types.ts';
import { CONFIG_MAPS, NAMESPACES, SERVICE_ACCOUNTS } from '../client/resources.ts';
import { ApiTransport } from '../client/transport.ts';
import { Client } from '../client/typed-client.ts';
import { createFacts } from '../facts.ts';
import { NO_DEFECTS } from '../defects.ts';
import type { Process } from '../../sim/process.ts';
import type { Task } from '../../sim/task.ts';
import { MILLISECOND, SECOND } from '../../sim/time.ts';
import { World } from '../../sim/world.ts';
import { DEFAULT_CONTROLLER_MANAGER_CONFIG } from './config.ts';
import type { ControllerRow } from './context.ts';
import { garbageCollectorController } from './garbage-collector.ts';
import { controllerManager } from './manager.ts';
import { namespaceController } from './namespace.ts';
import { rootCaPublisherController } from './root-ca-publisher.ts';
import { serviceAccountController } from './service-account.ts';

/** Runs a script against an API server with these controllers, and tells what lives in the end. */
function run(controllers: readonly ControllerRow[], script: (client: Client, process: Process) => Task<void>, seconds = 60): void {
  const world = new World({ seed: 'gc test' });
  const facts = createFacts();
  const storage = new MemoryStorage();
  world
    .addHost({ name: 'cp-0', zone: 'zone-a' })
    .install(
      apiServer({ name: 'api-0', address: 'cp-0', storage: () => storage, kinds: builtInKinds, admission: admissionPlugins(), facts }),
    );
  const servers = [world.network.endpoint('cp-0', '6443')];
  const config = { ...DEFAULT_CONTROLLER_MANAGER_CONFIG, leaderElect: false, kubeApiQps: 0 };
  world.run(SECOND);
  world
    .addHost({ name: 'cp-1', zone: 'zone-a' })
    .install(controllerManager({ name: 'kcm-0', servers, controllers, config, facts, defects: NO_DEFECTS }));
  let done = false;
  world.addHost({ name: 'client-0', zone: 'zone-a' }).install({
    name: 'user',
    start: (process) => {
      const client = new Client(
        new ApiTransport(process, { servers, user: { name: 'admin', groups: ['system:masters'] }, userAgent: 'kubectl' }),
      );
      process.spawn(
        'script',
        (function* () {
          yield* process.sleep(SECOND);
          yield* script(client, process);
          done = true;
        })(),
      );
    },
  });
  world.run(seconds * SECOND);
  expect(done).toBe(true);
}

function map(name: string, owners: readonly ConfigMap[] = [], block = false, finalizers?: readonly string[]): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      namespace: 'default',
      ...(finalizers === undefined ? {} : { finalizers }),
      ...(owners.length === 0
        ? {}
        : {
            ownerReferences: owners.map((owner) => ({
              apiVersion: 'v1',
              kind: 'ConfigMap',
              name: owner.metadata.name ?? '',
              uid: owner.metadata.uid ?? '',
              ...(block ? { blockOwnerDeletion: true } : {}),
            })),
          }),
    },
  };
}

function* create(client: Client, object: ConfigMap): Task<ConfigMap> {
  const result = yield* client.resource(CONFIG_MAPS).create(object);
  if (!result.ok) throw new Error(result.message);
  return result.object;
}

function* names(client: Client): Task<readonly string[]> {
  const list = yield* client.resource(CONFIG_MAPS).list('default');
  return list.ok ? list.object.items.map((item) => item.metadata.name ?? '').filter((name) => !name.startsWith('kube')) : ['?'];
}

describe('garbage collector', () => {
  it('collects dependents in the background, keeps those with another owner', () => {
    run([garbageCollectorController], function* (client, process) {
      const a = yield* create(client, map('a'));
      const b = yield* create(client, map('b'));
      yield* create(client, map('ab', [a, b]));
      yield* create(client, map('only-a', [a]));
      yield* process.sleep(SECOND);
      yield* client.resource(CONFIG_MAPS).delete('default', 'a');
      yield* process.sleep(SECOND);
      expect(yield* names(client)).toEqual(['ab', 'b']);
      const ab = yield* client.resource(CONFIG_MAPS).get('default', 'ab');
      expect(ab.ok && ab.object.metadata.ownerReferences?.map((owner) => owner.name)).toEqual(['b']);
    });
  });

  it('waits for blocking dependents in foreground deletion', () => {
    run([garbageCollectorController], function* (client, process) {
      const a = yield* create(client, map('a'));
      yield* create(client, map('held', [a], true, ['test/hold']));
      yield* process.sleep(SECOND);
      yield* client.resource(CONFIG_MAPS).delete('default', 'a', { options: { propagationPolicy: 'Foreground' } });
      yield* process.sleep(5 * SECOND);
      expect(yield* names(client)).toEqual(['a', 'held']);
      yield* client.resource(CONFIG_MAPS).patch('default', 'held', 'merge', { metadata: { finalizers: null } });
      yield* process.sleep(SECOND);
      expect(yield* names(client)).toEqual([]);
    });
  });

  it('orphans dependents when asked to', () => {
    run([garbageCollectorController], function* (client, process) {
      const a = yield* create(client, map('a'));
      yield* create(client, map('b', [a]));
      yield* process.sleep(SECOND);
      yield* client.resource(CONFIG_MAPS).delete('default', 'a', { options: { propagationPolicy: 'Orphan' } });
      yield* process.sleep(SECOND);
      expect(yield* names(client)).toEqual(['b']);
      const b = yield* client.resource(CONFIG_MAPS).get('default', 'b');
      expect(b.ok && b.object.metadata.ownerReferences).toBe(undefined);
    });
  });

  it('breaks a circle of foreground deletions', () => {
    run([garbageCollectorController], function* (client, process) {
      const a = yield* create(client, map('a'));
      const b = yield* create(client, map('b', [a], true));
      const owned = map('a', [b], true).metadata.ownerReferences ?? [];
      yield* client
        .resource(CONFIG_MAPS)
        .patch('default', 'a', 'merge', { metadata: { ownerReferences: owned.map((owner) => ({ ...owner })) } });
      yield* process.sleep(SECOND);
      yield* client.resource(CONFIG_MAPS).delete('default', 'a', { options: { propagationPolicy: 'Foreground' } });
      yield* process.sleep(2 * SECOND);
      expect(yield* names(client)).toEqual([]);
    });
  });

  it('collects what names an owner that never existed', () => {
    run([garbageCollectorController], function* (client, process) {
      yield* create(client, map('lost', [{ ...map('ghost'), metadata: { name: 'ghost', uid: 'no-such-uid' } }]));
      yield* process.sleep(2 * SECOND);
      expect(yield* names(client)).toEqual([]);
    });
  });
});

describe('namespace controller', () => {
  const controllers = [namespaceController, serviceAccountController, rootCaPublisherController, garbageCollectorController];

  it('fills a new namespace, and empties it before it goes', () => {
    run(controllers, function* (client, process) {
      yield* client.resource(NAMESPACES).create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' }, spec: {} });
      yield* process.sleep(SECOND);
      const accounts = yield* client.resource(SERVICE_ACCOUNTS).list('shop');
      expect(accounts.ok && accounts.object.items.map((item) => item.metadata.name)).toEqual(['default']);
      yield* client.resource(NAMESPACES).delete('', 'shop');
      yield* process.sleep(4 * SECOND);
      expect((yield* client.resource(CONFIG_MAPS).get('shop', 'kube-root-ca.crt')).ok).toBe(true);
      yield* process.sleep(3 * SECOND + 500 * MILLISECOND);
      expect((yield* client.resource(NAMESPACES).get('', 'shop')).ok).toBe(false);
      expect((yield* client.resource(CONFIG_MAPS).get('shop', 'kube-root-ca.crt')).ok).toBe(false);
    });
  });
});
