import { fileURLToPath } from 'node:url';
import { runChild } from '../clock.ts';
import type { Topic } from '../figure.ts';

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** Peak of a process that runs chaos trials one after the other, and what an idle cluster keeps per virtual hour. */
export const memory: Topic = {
  name: 'memory',
  *run() {
    yield { name: 'worker-memory', value: runChild([path('../memory-trials.ts')]).peakMegabytes, unit: 'MB peak' };
    const { stdout } = runChild(['--expose-gc', path('../memory-idle.ts')]);
    const kept = JSON.parse(stdout) as { readonly heapMegabytes: number; readonly perHour: number };
    yield { name: 'idle-heap', value: kept.heapMegabytes, unit: 'MB' };
    yield { name: 'idle-growth', value: kept.perHour, unit: 'MB/virtual hour' };
  },
};
