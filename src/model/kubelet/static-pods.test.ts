import { describe, expect, it } from 'vitest';
import { SECOND } from '../../sim/time.ts';
import type { Pod } from '../api/types.ts';
import { PODS } from '../client/resources.ts';
import { testCluster } from './test-cluster.fixture.ts';

type TestCluster = ReturnType<typeof testCluster>;

const manifest: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default' },
  spec: { containers: [{ name: 'c', image: 'nginx:1.29' }] },
};

function containers(t: TestCluster): number {
  const host = t.world.host('worker-0');
  return host.processes().filter((process) => process.alive && process.name.startsWith('ctr/')).length;
}

function mirror(t: TestCluster): Pod | undefined {
  let found: Pod | undefined;
  t.script(function* () {
    const got = yield* t.client.resource(PODS).get('default', 'web-worker-0');
    if (got.ok) found = got.object;
  });
  t.world.run(t.world.now + SECOND);
  return found;
}

describe('a manifest in the kubelet’s folder', () => {
  it('runs without an API server, and has its mirror once there is one', () => {
    const t = testCluster();
    t.world.run(20 * SECOND);
    t.world.host('cp-0').process('api-0')?.kill('test');
    t.machines[0]?.setManifest('web.yaml', manifest);
    t.world.run(40 * SECOND);
    expect(containers(t)).toBe(1);
    t.world.host('cp-0').start('api-0');
    t.world.run(150 * SECOND);
    expect(mirror(t)?.status?.phase).toBe('Running');
  });

  it('is not ended by a deletion of its mirror, but by that of its file', () => {
    const t = testCluster();
    t.machines[0]?.setManifest('web.yaml', manifest);
    t.world.run(20 * SECOND);
    const before = mirror(t);
    expect(before?.metadata.ownerReferences?.[0]).toMatchObject({ kind: 'Node', name: 'worker-0', controller: true });
    t.script(function* () {
      yield* t.client.resource(PODS).delete('default', 'web-worker-0');
    });
    t.world.run(30 * SECOND);
    expect(mirror(t)?.metadata.uid).not.toBe(before?.metadata.uid);
    expect(containers(t)).toBe(1);
    t.machines[0]?.setManifest('web.yaml', undefined);
    t.world.run(45 * SECOND);
    expect(containers(t)).toBe(0);
    expect(mirror(t)).toBeUndefined();
  });

  it('is another pod when its content changes, which starts when the old one has stopped', () => {
    const t = testCluster();
    t.machines[0]?.setManifest('web.yaml', manifest);
    t.world.run(20 * SECOND);
    t.machines[0]?.setManifest('web.yaml', { ...manifest, metadata: { ...manifest.metadata, labels: { v: '2' } } });
    let most = 0;
    for (let at = 20; at < 60; at++) {
      t.world.run(at * SECOND);
      most = Math.max(most, containers(t));
    }
    expect(most).toBe(1);
    expect(mirror(t)?.metadata.labels).toEqual({ v: '2' });
    expect(containers(t)).toBe(1);
  });
});
