import { describe, expect, it } from 'vitest';
import { SECOND } from '../sim/time.ts';
import type { Task } from '../sim/task.ts';
import { World } from '../sim/world.ts';
import { Informer } from './client/informer.ts';
import { CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, NODES, PODS, SERVICE_ACCOUNTS, SERVICES } from './client/resources.ts';
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
                names = [
                  ...namespaces.object.items.map((item) => item.metadata.name),
                  ...accounts.object.items.map((item) => item.metadata.namespace),
                ];
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
              const result = yield* client
                .resource(CONFIG_MAPS)
                .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `m-${i}`, namespace: 'default' } });
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

  it('deploys an app behind a Service, and moves its pods when a node dies', () => {
    const world = new World({ seed: 'deploy' });
    const facts = createFacts();
    const programmed = new Map<string, string>();
    facts.endpointsProgrammed.subscribe((node, service, _port, backends) => programmed.set(`${node} ${service}`, backends));
    const cluster = buildCluster(world, clusterPreset('ha'), { facts });
    const seen: string[] = [];
    world.host('client-0').install({
      name: 'user',
      start: (process) => {
        const client = cluster.client(process, ADMIN, 'kubectl');
        process.spawn(
          'script',
          (function* () {
            yield* process.sleep(10 * SECOND);
            const template = {
              metadata: { labels: { app: 'web' } },
              spec: { containers: [{ name: 'web', image: 'nginx:1.27', ports: [{ containerPort: 80 }] }] },
            };
            const created = yield* client.resource(DEPLOYMENTS).create({
              apiVersion: 'apps/v1',
              kind: 'Deployment',
              metadata: { name: 'web', namespace: 'default' },
              spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template },
            });
            const service = yield* client.resource(SERVICES).create({
              apiVersion: 'v1',
              kind: 'Service',
              metadata: { name: 'web', namespace: 'default' },
              spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
            });
            expect([created.ok, service.ok]).toEqual([true, true]);
            for (const wait of [20, 450]) {
              yield* process.sleep(wait * SECOND);
              const deployment = yield* client.resource(DEPLOYMENTS).get('default', 'web');
              const pods = yield* client.resource(PODS).list('default');
              if (!deployment.ok || !pods.ok) continue;
              const nodes = pods.object.items.filter((pod) => pod.metadata.deletionTimestamp === undefined).map((pod) => pod.spec.nodeName);
              seen.push(`${deployment.object.status?.availableReplicas} available on ${[...new Set(nodes)].sort().join(' ')}`);
            }
          })(),
        );
      },
    });
    world.at(40 * SECOND, () => world.host('worker-1').crash());
    world.run(500 * SECOND);
    expect(seen).toEqual(['3 available on worker-0 worker-1 worker-2', '3 available on worker-0 worker-2']);
    // The living nodes' proxies know three backends; the dead node's proxy is not asked.
    const backends = ['worker-0', 'worker-2'].map((node) => programmed.get(`${node} default/web`)?.split(',').length);
    expect(backends).toEqual([3, 3]);
  });

  it('registers control planes as tainted nodes with their role, where asked to', () => {
    const world = new World({ seed: 'control plane nodes' });
    const spec = { preset: 'test', kubernetes: true, controlPlanes: 1, workers: 1, zones: 1, controlPlaneNodes: true };
    const cluster = buildCluster(world, spec, { facts: createFacts() });
    const seen: unknown[] = [];
    world.host('client-0').install({
      name: 'user',
      start: (process) => {
        const client = cluster.client(process, ADMIN, 'kubectl');
        process.after(20 * SECOND, () =>
          process.spawn('look', client.resource(NODES).list(''), (nodes) => {
            if (!nodes.ok) return;
            for (const { metadata, spec } of nodes.object.items) {
              seen.push([
                metadata.name,
                metadata.labels?.['node-role.kubernetes.io/control-plane'],
                spec?.taints?.map((taint) => taint.effect),
              ]);
            }
          }),
        );
      },
    });
    world.run(30 * SECOND);
    expect(seen).toEqual([
      ['cp-0', '', ['NoSchedule']],
      ['worker-0', undefined, undefined],
    ]);
  });

  it('gives each pool its system and runtime; an image of the other system cannot be pulled', () => {
    const world = new World({ seed: 'pools' });
    const pools = [
      { workers: 1, runtime: 'cri-o' },
      { workers: 1, os: 'windows' },
    ] as const;
    const spec = {
      preset: 'test',
      kubernetes: true,
      controlPlanes: 1,
      workers: 2,
      zones: 1,
      etcd: 'external',
      etcdMembers: 1,
      pools,
    } as const;
    const cluster = buildCluster(world, spec, { facts: createFacts() });
    const nodes: unknown[] = [];
    const pods: unknown[] = [];
    const pod = (name: string, os: string, image: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default' },
      spec: { nodeSelector: { 'kubernetes.io/os': os }, containers: [{ name: 'app', image }] },
    });
    world.host('client-0').install({
      name: 'user',
      start: (process) => {
        const client = cluster.client(process, ADMIN, 'kubectl');
        process.spawn(
          'user',
          (function* (): Task<void> {
            yield* process.sleep(20 * SECOND);
            for (const [name, os, image] of [
              ['a', 'linux', 'web:1'],
              ['b', 'windows', 'mcr.microsoft.com/windows/servercore:ltsc2022'],
              ['c', 'windows', 'web:1'],
            ] as const)
              yield* client.resource(PODS).create(pod(name, os, image));
            yield* process.sleep(40 * SECOND);
            const list = yield* client.resource(NODES).list('');
            if (list.ok)
              for (const { metadata, status } of list.object.items)
                nodes.push([metadata.name, status?.nodeInfo?.operatingSystem, status?.nodeInfo?.containerRuntimeVersion?.split(':')[0]]);
            const all = yield* client.resource(PODS).list('default');
            if (all.ok)
              for (const {
                metadata,
                spec: { nodeName },
                status,
              } of all.object.items) {
                const state = status?.containerStatuses?.[0]?.state;
                pods.push([
                  metadata.name,
                  nodeName,
                  state?.waiting === undefined ? 'runs' : /no match for platform/.test(state.waiting.message ?? ''),
                ]);
              }
          })(),
        );
      },
    });
    world.run(70 * SECOND);
    expect(nodes).toEqual([
      ['worker-0', 'linux', 'cri-o'],
      ['worker-1', 'windows', 'containerd'],
    ]);
    expect(pods).toEqual([
      ['a', 'worker-0', 'runs'],
      ['b', 'worker-1', 'runs'],
      ['c', 'worker-1', true],
    ]);
    expect(cluster.hosts('etcd').map((host) => host.programNames())).toEqual([['etcd-0']]);
  });

  it('warns of an even number of control planes', () => {
    expect(clusterWarnings(clusterPreset('ha'))).toEqual([]);
    expect(clusterWarnings({ ...clusterPreset('ha'), controlPlanes: 2 })).toHaveLength(1);
  });
});
