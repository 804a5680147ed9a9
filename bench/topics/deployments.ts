import { cpuOf } from '../clock.ts';
import { BenchCluster } from '../cluster.ts';
import { median, type Topic } from '../figure.ts';
import { clusterPreset } from '../../src/model/presets.ts';

const SAMPLES = 18;
const ROLLOUTS = 12;

/** A warm cluster like the one that the peer's figures come from: one control plane, three nodes. */
export const deployments: Topic = {
  name: 'deployments',
  *run() {
    const cluster = new BenchCluster(clusterPreset('kind'), true);
    cluster.run(120);
    const warm = Array.from({ length: SAMPLES }, (_, i) =>
      cpuOf(() => {
        cluster.deploy(`web-${i}`, 3);
        cluster.until(`web-${i} is ready`, () => cluster.isReady(`web-${i}`, 3), 60);
      }),
    );
    yield { name: 'warm-deployment', value: median(warm) * 1000, unit: 'CPU-ms' };
    cluster.deploy('rolling', 10);
    cluster.until('rolling is ready', () => cluster.isReady('rolling', 10), 60);
    const updates = Array.from({ length: ROLLOUTS }, (_, i) =>
      cpuOf(() => {
        cluster.user.order({ what: 'set-image', deployment: 'default/rolling', image: `registry.example/web:${i + 2}` });
        cluster.run(1);
        cluster.until(`update ${i} is ready`, () => cluster.isReady('rolling', 10), 300);
      }),
    );
    yield { name: 'rolling-update', value: median(updates) * 1000, unit: 'CPU-ms' };
  },
};
