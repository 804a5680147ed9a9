import { bundled } from '../bundled.ts';
import type { Topic } from '../figure.ts';

/** Peak of a process that runs chaos trials one after the other, and what an idle cluster keeps per virtual hour. */
export const memory: Topic = {
  name: 'memory',
  async *run() {
    const run = await bundled(['memory-trials', 'memory-idle']);
    yield { name: 'worker-memory', value: run('memory-trials').peakMegabytes, unit: 'MB peak' };
    const { stdout } = run('memory-idle', '--expose-gc');
    const kept = JSON.parse(stdout) as { readonly heapMegabytes: number; readonly perHour: number };
    yield { name: 'idle-heap', value: kept.heapMegabytes, unit: 'MB' };
    yield { name: 'idle-growth', value: kept.perHour, unit: 'MB/virtual hour' };
  },
};
