import { cpuOf, ratePerCpuSecond } from '../clock.ts';
import { BenchCluster } from '../cluster.ts';
import type { Figure, Topic } from '../figure.ts';

const PODS_EACH = 100;

/** A fresh cluster until so many pods on so many nodes are ready; then, with `idle`, what it costs to leave it alone. */
function* manyNodes(workers: number, pods: number, idle: boolean): Generator<Figure> {
  const names = Array.from({ length: pods / PODS_EACH }, (_, i) => `app-${i}`);
  let cluster: BenchCluster | undefined;
  const seconds = cpuOf(() => {
    const made = new BenchCluster({ preset: 'bench', kubernetes: true, controlPlanes: 1, workers, zones: 3 }, true);
    cluster = made;
    for (const name of names) made.deploy(name, PODS_EACH);
    made.until(`${pods} pods are ready`, () => names.every((name) => made.isReady(name, PODS_EACH)), 7200);
  });
  const made = cluster as BenchCluster;
  yield { name: `nodes-${workers}-pods-${pods}`, value: seconds, unit: 'CPU-s' };
  yield { name: `nodes-${workers}-pods-${pods}-events`, value: made.world.digest.events, unit: 'events' };
  yield { name: `nodes-${workers}-virtual`, value: made.world.now / 1e6, unit: 'virtual s' };
  if (!idle) return;
  yield { name: `nodes-${workers}-memory`, value: process.resourceUsage().maxRSS / 1024, unit: 'MB peak' };
  const step = (): number => {
    made.run(10);
    return 10;
  };
  yield { name: `nodes-${workers}-idle`, value: ratePerCpuSecond(step, 2), unit: 'virtual s/CPU-s' };
}

export const mediumCluster: Topic = { name: 'nodes-100', run: () => manyNodes(100, 1000, false) };
export const largeCluster: Topic = { name: 'nodes-1000', large: true, run: () => manyNodes(1000, 10_000, true) };
