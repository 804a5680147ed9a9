import { describe, expect, it } from 'vitest';
import { fileURLToPath } from 'node:url';
import { tasksOf } from './campaign.ts';
import { loadScenario } from './scenario-file.ts';
import type { Suite } from './trial-task.ts';

const scenario = (name: string) => ({
  scenario: loadScenario(fileURLToPath(new URL(`../../scenarios/${name}.yaml`, import.meta.url))),
  manifests: [],
});

describe('the order of a campaign', () => {
  const scenarios = [scenario('consensus'), scenario('split-brain')];
  const order = (defects: Suite['defects']): string =>
    tasksOf({ scenarios, defects }, ['0x1', '0x2'])
      .map((task) => `${task.seed} ${scenarios[task.scenario]?.scenario.name}`)
      .join(', ');

  it('goes seed by seed across the scenarios', () => {
    expect(order([])).toBe('0x1 consensus, 0x1 split-brain, 0x2 consensus, 0x2 split-brain');
  });

  it('starts with the scenarios that were written for the defect', () => {
    expect(order(['E1'])).toBe('0x1 consensus, 0x2 consensus, 0x1 split-brain, 0x2 split-brain');
    expect(order(['R12'])).toBe('0x1 split-brain, 0x2 split-brain, 0x1 consensus, 0x2 consensus');
  });
});
