import { describe, expect, it } from 'vitest';
import { DEFECTS } from '../model/defects.ts';
import { type Exhibit, exhibitFile, exhibits, hunt, type HuntOptions } from './museum.ts';
import { loadScenario } from './scenario-file.ts';

const once: HuntOptions = { runs: 1, jobs: 1, shrink: false, interrupted: () => false };

describe('the museum', () => {
  it.each(exhibits().map((d) => [d.id, d] as const))(
    '%s: its scenario loads, judges its property, and leaves the switch to the command',
    (_id, defect) => {
      const scenario = loadScenario(exhibitFile(defect));
      expect(scenario.defects).toEqual([]);
      expect(scenario.require.some((id) => defect.properties.includes(id))).toBe(true);
      expect(defect.seeds).toBeGreaterThan(0);
    },
  );

  it('knows every defect once', () => {
    expect(new Set(DEFECTS.map((d) => d.id)).size).toBe(DEFECTS.length);
  });

  it.each(['E10', 'E12', 'E14', 'E15', 'E16', 'E17', 'E18', 'K13', 'K21', 'R1', 'R7', 'R9', 'R19', 'R20'])(
    '%s is caught by its property, and its seeds are clean without it',
    async (id) => {
      const defect = exhibits().find((d) => d.id === id) as Exhibit;
      const result = await hunt(defect, once);
      expect(result).toMatchObject({ id, found: true, cleanWithout: true, unclean: null });
      expect(defect.properties).toContain(result.caught?.violation.property);
    },
  );

  it('a hunt without a budget worth the name says so, and tells the seeds that it tried', async () => {
    const defect = exhibits().find((d) => d.id === 'E10') as Exhibit;
    const result = await hunt({ ...defect, properties: ['node-capacity'] }, { ...once, seeds: 2 });
    expect(result).toMatchObject({ found: false, seeds: [2], medianSeeds: 2, shrunkFaults: null, caught: null, cleanWithout: true });
  });

  it.skipIf(process.env['SEATRIAL_LONG'] === undefined).each(exhibits().map((d) => [d.id, d] as const))(
    '%s is caught in three runs out of three',
    async (_id, defect) => {
      expect(await hunt(defect, { ...once, runs: 3 })).toMatchObject({ found: true, cleanWithout: true });
    },
    3_600_000,
  );
});
