import { ratePerCpuSecond } from '../clock.ts';
import { BenchCluster } from '../cluster.ts';
import type { Topic } from '../figure.ts';
import { clusterPreset } from '../../src/model/presets.ts';

export const idleCluster: Topic = {
  name: 'idle-cluster',
  *run() {
    const cluster = new BenchCluster(clusterPreset('ha'));
    cluster.run(600);
    const { digest } = cluster.world;
    const events = digest.events;
    cluster.run(600);
    yield { name: 'idle-cluster-events', value: (digest.events - events) / 600, unit: 'events/virtual s' };
    const step = (): number => {
      cluster.run(300);
      return 300;
    };
    yield { name: 'idle-cluster', value: ratePerCpuSecond(step, 0.8), unit: 'virtual s/CPU-s' };
  },
};
