/** Run with --expose-gc by the memory topic: heap of an idle cluster after one virtual hour and after three. */
import { BenchCluster } from './cluster.ts';
import { clusterPreset } from '../src/model/presets.ts';

function heapMegabytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 1e6;
}

const cluster = new BenchCluster(clusterPreset('ha'));
cluster.run(3600);
const before = heapMegabytes();
cluster.run(7200);
const after = heapMegabytes();
process.stdout.write(JSON.stringify({ heapMegabytes: before, perHour: (after - before) / 2 }));
