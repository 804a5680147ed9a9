import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { checkHistory } from '../../src/harness/linearizability/check.ts';
import type { Operation } from '../../src/harness/linearizability/history.ts';
import { readHistory } from '../../src/harness/linearizability/read-history.ts';
import { registerModel } from '../../src/harness/linearizability/register.ts';
import { revisionedModel } from '../../src/harness/linearizability/revisions.ts';
import { cpuOf } from '../clock.ts';
import { type Figure, median, type Topic } from '../figure.ts';
import { revisionHistory } from '../revision-history.ts';

const ROUNDS = 9;
const OPERATIONS = 10_000;
/** The logs lie beside the checkout; a clone without them measures the rest. */
const logs = new URL('../../../shared/conformance/linearizability/etcd/', import.meta.url);

/** Median CPU milliseconds of a check, after one that warms up. */
function cpuMsOf(check: () => void): number {
  check();
  return median(Array.from({ length: ROUNDS }, () => cpuOf(check) * 1000));
}

function etcdLogs(): readonly (readonly Operation[])[] {
  if (!existsSync(logs)) return [];
  return readdirSync(logs)
    .sort()
    .map((name) => readHistory(readFileSync(new URL(name, logs), 'utf8'))?.operations ?? []);
}

/** Goals 18 and 19. The peer of both is porcupine, run beside. */
export const linearizability: Topic = {
  name: 'linearizability',
  *run(): Iterable<Figure> {
    const histories = etcdLogs();
    if (histories.length > 0) {
      const value = cpuMsOf(() => histories.forEach((operations) => checkHistory({ operations }, registerModel)));
      yield { name: 'linearizability-etcd-logs', value, unit: `CPU-ms, ${histories.length} logs` };
    }
    const operations = revisionHistory(OPERATIONS);
    const value = cpuMsOf(() => {
      if (checkHistory({ operations }, revisionedModel).verdict !== 'linearizable') throw new Error('not linearizable');
    });
    yield { name: 'linearizability-revisions-10k', value, unit: 'CPU-ms' };
  },
};
