import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sharedPath } from '../../../../test/shared.ts';
import type { Recording } from './recording.ts';
import { replaysOf, runControllerScenario } from './run-scenario.ts';

const folder = sharedPath('goldens/controllers');
const race = 'a race of controllers within a tenth of a second, which the recorded machine decided otherwise';

/** Known misses, with their reason. */
const misses: { readonly [name: string]: string } = {
  'deployment-delete-rolling': race,
  'deployment-roll-s2-u1-r5': 'one step more, so one event more is combined',
  'job-parallelism-change': 'pods that end within the batch period before a change of the spec',
};

const scenarios =
  folder === undefined
    ? []
    : readdirSync(folder)
        .filter((name) => name.endsWith('.json'))
        .map((name) => name.replace('.json', ''))
        .sort();
const all = process.env['SEATRIAL_LONG'] === '1';

describe.skipIf(folder === undefined)('controller recordings', () => {
  // Every fifth in the short run, all of them in the long one.
  for (const [index, name] of scenarios.entries()) {
    it.skipIf(misses[name] !== undefined || (!all && index % 5 !== 0))(name, () => {
      const recording = JSON.parse(readFileSync(join(folder ?? '', `${name}.json`), 'utf8')) as Recording;
      expect(runControllerScenario(recording)).toEqual([]);
    });
  }
});

describe.skipIf(folder === undefined)('a damaged controller recording fails', () => {
  const name = 'deployment-image-pull';
  const text = folder === undefined ? '{}' : readFileSync(join(folder, `${name}.json`), 'utf8');
  type Loose = { [field: string]: unknown };
  const damages: { readonly [what: string]: (recording: Loose) => void } = {
    'by a value of a story': ({ stories }) => setStory(stories, 'Deployment/web', (story) => [[story[0]?.[0] ?? 0, 99], ...story.slice(1)]),
    'by the order of a story': ({ stories }) =>
      setStory(stories, 'Deployment/web', (story) => [...story].reverse().map(([, value], i) => [story[i]?.[0] ?? 0, value])),
    'by a missing step of a story': ({ stories }) => setStory(stories, 'Deployment/web', (story) => story.slice(0, -1)),
    'by a time of a story': ({ stories }) =>
      setStory(stories, 'Deployment/web', (story) => story.map(([time, value]) => [time + 2, value])),
    'by a missing object': ({ stories, outcome }) => {
      const key = Object.keys(outcome as object).find((each) => each.startsWith('ReplicaSet/')) ?? '';
      delete (stories as Loose)[key];
      delete (outcome as Loose)[key];
    },
    'by a value of the outcome': ({ outcome }) => void Object.assign(status(outcome), { readyReplicas: 77 }),
    'by a field that the outcome lacks': ({ outcome }) => void delete status(outcome)['readyReplicas'],
    'by a missing event': ({ events }) => void (events as unknown[]).pop(),
    'by the count of an event': ({ events }) => void Object.assign((events as object[])[0] ?? {}, { count: 77 }),
    'by a missing entry of the pod log': ({ facts }) => void dropLast((facts as Loose)['podLog']),
  };
  it('and an intact one passes', () => expect(runControllerScenario(JSON.parse(text) as Recording)).toEqual([]));
  it('and where the passes agreed, no other random choices are tried', () => {
    const recording = { ...(JSON.parse(text) as Recording), transient: [], unstable: [] };
    expect(new Set([...replaysOf(recording, 'seed')].map((replay) => replay.seed))).toEqual(new Set(['seed']));
  });
  it.each(Object.keys(damages))('%s', (what) => {
    const damaged = JSON.parse(text) as Loose;
    damages[what]?.(damaged);
    expect(JSON.stringify(damaged)).not.toBe(JSON.stringify(JSON.parse(text)));
    expect(runControllerScenario(damaged as unknown as Recording)).not.toEqual([]);
  });
});

type LooseStory = readonly (readonly [number, unknown])[];

function setStory(stories: unknown, key: string, change: (story: LooseStory) => LooseStory): void {
  const fields = (stories as { [key: string]: { [field: string]: LooseStory } })[key] ?? {};
  fields['status.observedGeneration'] = change(fields['status.observedGeneration'] ?? []);
}

function status(outcome: unknown): { [field: string]: unknown } {
  return (outcome as { [key: string]: { status: { [field: string]: unknown } } })['Deployment/web']?.status ?? {};
}

function dropLast(podLog: unknown): void {
  const groups = Array.isArray(podLog) ? (podLog as unknown[][]) : (Object.values(podLog as object)[0] as unknown[][]);
  groups.at(-1)?.pop();
}
