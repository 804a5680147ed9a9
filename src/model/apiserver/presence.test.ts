import { describe, expect, it } from 'vitest';
import { SECOND } from '../../sim/time.ts';
import { World } from '../../sim/world.ts';
import { buildCluster } from '../cluster.ts';
import { createFacts } from '../facts.ts';
import { clusterPreset } from '../presets.ts';
import type { EndpointSlice, Lease } from '../api/types.ts';

describe('the presence of API servers', () => {
  it('each has an identity, and the service kubernetes leads to those that live', () => {
    const world = new World({ seed: 'presence' });
    const facts = createFacts();
    const committed = new Map<string, object | undefined>();
    facts.objectChanged.subscribe((_revision, key, object) => committed.set(key, object));
    buildCluster(world, { ...clusterPreset('ha'), workers: 0 }, { facts });
    const addresses = (): readonly string[] =>
      (committed.get('/registry/endpointslices/default/kubernetes') as EndpointSlice | undefined)?.endpoints?.flatMap(
        (one) => one.addresses,
      ) ?? [];
    world.run(30 * SECOND);
    expect(addresses()).toEqual(['192.168.0.1', '192.168.0.2', '192.168.0.3']);
    const identities = [...committed].filter(([key]) => key.startsWith('/registry/leases/kube-system/apiserver-'));
    expect(identities.map(([, lease]) => (lease as Lease).metadata.labels?.['kubernetes.io/hostname']).sort()).toEqual([
      'cp-0',
      'cp-1',
      'cp-2',
    ]);
    // Base 32 of the first sixteen bytes of SHA-256 of "cp-0".
    expect(identities.every(([key]) => /apiserver-[a-z2-7]{26}$/.test(key))).toBe(true);

    world.host('cp-1').crash();
    // The lease of the dead server runs out after 15 s; the others look every 10 s.
    world.run(60 * SECOND);
    expect(addresses()).toEqual(['192.168.0.1', '192.168.0.3']);

    world.host('cp-1').boot();
    world.run(100 * SECOND);
    expect(addresses()).toEqual(['192.168.0.1', '192.168.0.2', '192.168.0.3']);
  });
});
