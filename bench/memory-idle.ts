/**
 * Run with --expose-gc by the memory topic: heap of an idle cluster after one virtual hour, and how its low points rise. etcd keeps up to 10,000 entries of its log
 * between two snapshots (--snapshot-count), some two hours of an idle cluster: the heap goes up and down by that, and only a rise of the low points is growth.
 */
import { BenchCluster } from './cluster.ts';
import { clusterPreset } from '../src/model/presets.ts';

const HOURS = 4;

function heapMegabytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 1e6;
}

const cluster = new BenchCluster(clusterPreset('ha'));

function lowest(): number {
  let low = Number.POSITIVE_INFINITY;
  for (let hour = 0; hour < HOURS; hour++) {
    cluster.run(3600);
    low = Math.min(low, heapMegabytes());
  }
  return low;
}

cluster.run(3600);
const afterAnHour = heapMegabytes();
const early = lowest();
process.stdout.write(JSON.stringify({ heapMegabytes: afterAnHour, perHour: (lowest() - early) / HOURS }));
