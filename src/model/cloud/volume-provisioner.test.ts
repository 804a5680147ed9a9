import { describe, expect, it } from 'vitest';
import { SECOND } from '../../sim/time.ts';
import { World } from '../../sim/world.ts';
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, STATEFUL_SETS } from '../client/resources.ts';
import { buildCluster } from '../cluster.ts';
import { createFacts } from '../facts.ts';
import { clusterPreset } from '../presets.ts';

describe.each(['kind', 'single'])('volumes of preset %s', (preset) => {
  it('are made for the claims of a StatefulSet, and removed with them', () => {
    const world = new World({ seed: 'volumes' });
    const cluster = buildCluster(world, clusterPreset(preset), { facts: createFacts() });
    const seen: string[] = [];
    world.host('client-0').install({
      name: 'user',
      start: (process) => {
        const client = cluster.client(process, { name: 'admin', groups: ['system:masters'] }, 'kubectl');
        process.spawn(
          'script',
          (function* () {
            yield* process.sleep(15 * SECOND);
            const created = yield* client.resource(STATEFUL_SETS).create({
              apiVersion: 'apps/v1',
              kind: 'StatefulSet',
              metadata: { name: 'db', namespace: 'default' },
              spec: {
                replicas: 2,
                serviceName: 'db',
                selector: { matchLabels: { app: 'db' } },
                template: {
                  metadata: { labels: { app: 'db' } },
                  spec: { containers: [{ name: 'db', image: 'postgres:16', volumeMounts: [{ name: 'data', mountPath: '/data' }] }] },
                },
                volumeClaimTemplates: [
                  {
                    apiVersion: 'v1',
                    kind: 'PersistentVolumeClaim',
                    metadata: { name: 'data' },
                    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
                  },
                ],
              },
            });
            expect(created).toMatchObject({ ok: true });
            yield* process.sleep(60 * SECOND);
            const pods = yield* client.resource(PODS).list('default');
            const claims = yield* client.resource(PERSISTENT_VOLUME_CLAIMS).list('default');
            if (pods.ok) seen.push(...pods.object.items.map((pod) => `${pod.metadata.name} ${pod.status?.phase}`));
            if (claims.ok) seen.push(...claims.object.items.map((claim) => `${claim.metadata.name} ${claim.status?.phase}`));
            yield* client.resource(STATEFUL_SETS).delete('default', 'db');
            yield* process.sleep(60 * SECOND);
            for (const name of ['data-db-0', 'data-db-1']) yield* client.resource(PERSISTENT_VOLUME_CLAIMS).delete('default', name);
            yield* process.sleep(10 * SECOND);
            const volumes = yield* client.resource(PERSISTENT_VOLUMES).list('');
            if (volumes.ok) seen.push(`${volumes.object.items.length} volumes left`);
          })(),
        );
      },
    });
    world.run(180 * SECOND);
    expect(seen).toEqual(['db-0 Running', 'db-1 Running', 'data-db-0 Bound', 'data-db-1 Bound', '0 volumes left']);
  });
});
