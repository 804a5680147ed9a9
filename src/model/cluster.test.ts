import { describe, expect, it } from 'vitest';
import { SECOND } from '../sim/time.ts';
import { World } from '../sim/world.ts';
import { Informer } from './client/informer.ts';
import { CONFIG_MAPS, NAMESPACES, SERVICE_ACCOUNTS } from './client/resources.ts';
import type { ConfigMap } from './api/types.ts';
import { buildCluster, type Cluster } from './cluster.ts';
import { clusterWarnings } from './cluster-spec.ts';
import { createFacts } from './facts.ts';
import { clusterPreset } from './presets.ts';

const ADMIN = { name: 'admin', groups: ['system:masters'] };

function controlPlane(seed: string): { readonly world: World; readonly cluster: Cluster; readonly leaders: string[] } {
  const world = new World({ seed });
  const facts = createFacts();
  const leaders: string[] = [];
  facts.leading.subscribe((lease, _identity, holds) => leaders.push(`${lease} ${holds}`));
  const cluster = buildCluster(world, { ...clusterPreset('ha'), workers: 0 }, { facts });
  return { world, cluster, leaders };
}

describe('cluster', () => {
  it('comes up: namespaces, one leading manager, service accounts', () => {
    const { world, cluster, leaders } = controlPlane('boot');
    let names: readonly (string | undefined)[] = [];
    world.host('client-0').install({
      name: 'user',
      start: (process) => {
        const client = cluster.client(process, ADMIN, 'kubectl');
        process.after(20 * SECOND, () =>
          process.spawn(
            'look',
            (function* () {
              const namespaces = yield* client.resource(NAMESPACES).list('');
              const accounts = yield* client.resource(SERVICE_ACCOUNTS).list('');
              if (namespaces.ok && accounts.ok) {
                names = [...namespaces.object.items.map((item) => item.metadata.name), ...accounts.object.items.map((item) => item.metadata.namespace)];
              }
            })(),
          ),
        );
      },
    });
    world.run(30 * SECOND);
    const expected = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];
    expect(names).toEqual([...expected, ...expected]);
    expect(leaders.sort()).toEqual(['kube-controller-manager true', 'kube-scheduler true']);
  });

  it('runs the same way twice', () => {
    const digests = [0, 1].map(() => {
      const { world } = controlPlane('twice');
      world.run(30 * SECOND);
      return world.digest.value();
    });
    expect(digests[0]).toBe(digests[1]);
  });

  it('keeps a watcher complete while members and servers crash one after the other', () => {
    const { world, cluster } = controlPlane('crashes');
    let informer: Informer<ConfigMap> | undefined;
    let written = 0;
    world.host('client-0').install({
      name: 'user',
      start: (process) => {
        const client = cluster.client(process, ADMIN, 'kubectl');
        informer = new Informer(client.transport, CONFIG_MAPS, { namespace: 'default', watchList: true });
        informer.start();
        process.spawn(
          'write',
          (function* () {
            for (let i = 0; i < 100; i++) {
              const result = yield* client.resource(CONFIG_MAPS).create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `m-${i}`, namespace: 'default' } });
              if (result.ok) written++;
              yield* process.sleep(SECOND);
            }
          })(),
        );
      },
    });
    for (let i = 0; i < 6; i++) {
      const host = world.host(`cp-${i % 3}`);
      world.at((10 + 15 * i) * SECOND, () => host.crash());
      world.at((16 + 15 * i) * SECOND, () => host.boot());
    }
    world.run(180 * SECOND);
    expect(written).toBeGreaterThan(60);
    const seen = informer?.list().filter((map) => map.metadata.name?.startsWith('m-')).length ?? 0;
    // A write that nobody acknowledged may still be there.
    expect(seen).toBeGreaterThanOrEqual(written);
  });

  it('warns of an even number of control planes', () => {
    expect(clusterWarnings(clusterPreset('ha'))).toEqual([]);
    expect(clusterWarnings({ ...clusterPreset('ha'), controlPlanes: 2 })).toHaveLength(1);
  });
});
