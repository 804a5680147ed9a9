import { expect, it } from 'vitest';
import { MINUTE, SECOND } from '../../sim/time.ts';
import { World } from '../../sim/world.ts';
import type { UntypedObject } from '../api/object.ts';
import { buildCluster } from '../cluster.ts';
import { createFacts } from '../facts.ts';
import { clusterPreset } from '../presets.ts';
import { Kubectl } from '../workload/kubectl.ts';

const labels = { app: 'web' };
const containers = [{ name: 'web', image: 'registry.example/web:1', resources: { requests: { cpu: '800m', memory: '64Mi' } } }];
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: { replicas: 7, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
} as unknown as UntypedObject;

const pools = [{ workers: 2, max: 5, cpuMilli: 2000, memoryBytes: 4 * 1024 ** 3 }];

it('grows for pods without a place, and gives the machines back when nobody needs them', () => {
  const world = new World({ seed: 'autoscaler' });
  const facts = createFacts();
  const sizes: number[] = [];
  const nodes = new Set<string>();
  const ready = new Set<string>();
  const told = new Set<string>();
  facts.nodeGroup.subscribe((_group, machines) => sizes.push(machines));
  facts.objectChanged.subscribe((_revision, key, object) => {
    const [, , resource = '', ...name] = key.split('/');
    const { status, reason } = (object ?? {}) as { status?: { conditions?: { type: string; status: string }[] }; reason?: string };
    if (resource === 'minions') object === undefined ? nodes.delete(name.join('/')) : nodes.add(name.join('/'));
    if (resource === 'events' && reason !== undefined) told.add(reason);
    if (resource !== 'pods') return;
    const isReady = object !== undefined && status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') === true;
    isReady ? ready.add(key) : ready.delete(key);
  });
  const cluster = buildCluster(world, { ...clusterPreset('docker-desktop'), cloud: true, pools, workers: 5 }, { facts });
  const user = new Kubectl({ name: 'user-0', servers: cluster.apiServers, facts, onRefused: (_source, message) => expect.fail(message) });
  world.host('client-0').install(user.program());
  world.run(30 * SECOND);
  expect([...nodes].sort()).toEqual(['worker-0', 'worker-1']);
  user.order({ what: 'apply', source: 'web', object: deployment });
  world.run(6 * MINUTE);
  // Seven pods of 0.8 cores, two to a node of 2 cores.
  expect([ready.size, [...nodes].sort()]).toEqual([7, ['worker-0', 'worker-1', 'worker-2', 'worker-3']]);
  user.order({ what: 'scale', deployment: 'default/web', replicas: 2 });
  world.run(50 * MINUTE);
  // Any of the group's machines may be among those that go.
  expect([ready.size, nodes.size]).toEqual([2, 2]);
  expect([sizes[0], Math.max(...sizes), sizes.at(-1)]).toEqual([2, 4, 2]);
  expect([...told].filter((reason) => reason === 'TriggeredScaleUp' || reason === 'ScaleDown').sort()).toEqual([
    'ScaleDown',
    'TriggeredScaleUp',
  ]);
});

it('orders another machine for one that died, and for one that was taken back before it came', () => {
  const world = new World({ seed: 'losses' });
  const facts = createFacts();
  const running = new Map<string, string>();
  facts.objectChanged.subscribe((_revision, key, object) => {
    if (!key.startsWith('/registry/pods/default/')) return;
    const { spec, metadata, status } = (object ?? {}) as {
      spec?: { nodeName?: string };
      metadata?: { deletionTimestamp?: string };
      status?: { phase?: string };
    };
    if (metadata === undefined || metadata.deletionTimestamp !== undefined || status?.phase !== 'Running') running.delete(key);
    else running.set(key, spec?.nodeName ?? '');
  });
  const cluster = buildCluster(world, { ...clusterPreset('docker-desktop'), cloud: true, pools, workers: 5 }, { facts });
  const user = new Kubectl({ name: 'user-0', servers: cluster.apiServers, facts, onRefused: (_source, message) => expect.fail(message) });
  world.host('client-0').install(user.program());
  world.run(30 * SECOND);
  expect(cluster.reclaim('worker-4')).toBe(false);
  user.order({ what: 'apply', source: 'web', object: deployment });
  world.run(55 * SECOND);
  expect([world.host('worker-2').up, cluster.reclaim('worker-2')]).toEqual([false, true]);
  world.run(6 * MINUTE);
  expect([running.size, new Set(running.values()).size, world.host('worker-2').up]).toEqual([7, 4, true]);
  // Two pods go with it; after five minutes they come again, and find no place.
  world.host('worker-3').cutPower();
  world.run(16 * MINUTE);
  expect([running.size, [...new Set(running.values())].sort()]).toEqual([7, ['worker-0', 'worker-1', 'worker-2', 'worker-4']]);
});
