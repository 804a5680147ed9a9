import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadManifests } from './manifests.ts';
import { ownFile } from './own-files.ts';
import { loadScenario } from './scenario-file.ts';
import { runTask, type Suite } from './trial-task.ts';

const long = process.env['SEATRIAL_LONG'] !== undefined;
const seeds = Array.from({ length: long ? 50 : 2 }, (_, i) => `0x${(1 + i).toString(16)}`);
const names = readdirSync(ownFile('scenarios/'))
  .filter((name) => name.endsWith('.yaml'))
  .sort();

describe('the scenarios that are shipped', () => {
  it.each(names)(
    '%s: nothing is violated, no property gives up, the faults strike',
    (name) => {
      const scenario = loadScenario(ownFile(`scenarios/${name}`));
      const suite: Suite = { scenarios: [{ scenario, manifests: loadManifests(scenario.apply) }], defects: [] };
      let touched = 0;
      const judged = new Set<string>();
      for (const seed of seeds) {
        const outcome = runTask(suite, { scenario: 0, seed });
        // The seed stands beside what was seen: a failure can be replayed at once.
        expect({ seed, status: outcome.status, violations: outcome.violations.map((v) => v.witness.sentence) }).toEqual({
          seed,
          status: 'passed',
          violations: [],
        });
        touched += outcome.effects.filter((effect) => effect.touched > 0).length;
        for (const property of outcome.properties) if (property.exercised > 0) judged.add(property.property);
      }
      expect(touched).toBeGreaterThan(0);
      // Two seeds need not meet everything.
      if (long) expect(scenario.require.filter((id) => !judged.has(id))).toEqual([]);
    },
    long ? 3_600_000 : 120_000,
  );
});
