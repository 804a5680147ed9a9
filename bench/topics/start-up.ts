import { fileURLToPath } from 'node:url';
import { bundled } from '../bundled.ts';
import { runChild } from '../clock.ts';
import { median, type Topic } from '../figure.ts';

const RUNS = 7;
const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

export const startUp: Topic = {
  name: 'start-up',
  async *run() {
    const run = await bundled(['first-deployment']);
    // Fills the code cache, as the first use of an installed package does.
    run('first-deployment');
    const empty: number[] = [];
    const version: number[] = [];
    const first: number[] = [];
    runChild([path('../../bin/seatrial.mjs'), '--version']);
    for (let i = 0; i < RUNS; i++) {
      empty.push(runChild(['--eval', '']).cpuMs);
      version.push(runChild([path('../../bin/seatrial.mjs'), '--version']).cpuMs);
      first.push(run('first-deployment').wallMs);
    }
    yield { name: 'empty-node-cpu', value: median(empty), unit: 'ms' };
    yield { name: 'version-cpu-ms', value: median(version), unit: 'ms' };
    yield { name: 'version-cpu', value: median(version) / median(empty), unit: '× empty node' };
    yield { name: 'first-deployment', value: median(first) / 1000, unit: 's wall' };
  },
};
