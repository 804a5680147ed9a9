import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sharedPath } from '../../../../test/shared.ts';
import { runSchedulerScenario } from './run-scenario.ts';

const folder = sharedPath('goldens/scheduler');

/** Known misses, with their reason. */
const misses: ReadonlySet<string> = new Set([
  // An attempt follows the node controller's taint update although the node is too small: which hint let it through is not understood.
  'scheduler-requeue-node-add-small',
]);

describe.skipIf(folder === undefined)('scheduler recordings', () => {
  for (const file of folder === undefined
    ? []
    : readdirSync(folder)
        .filter((name) => name.endsWith('.json'))
        .sort()) {
    const name = file.replace('.json', '');
    it.skipIf(misses.has(name))(name, () => {
      expect(runSchedulerScenario(join(folder ?? '', file))).toEqual([]);
    });
  }
});
