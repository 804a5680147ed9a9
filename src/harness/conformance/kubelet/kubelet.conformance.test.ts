import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sharedPath } from '../../../../test/shared.ts';
import { compare } from './compare.ts';
import type { Recording } from './recording.ts';
import { replay } from './replay.ts';
import { runKubeletRecording } from './run-kubelet-recording.ts';

const folder = sharedPath('goldens/kubelet');

/** Recordings that the model does not follow, and why. docs/CONFORMANCE.md repeats them. */
const MISSES: Readonly<Record<string, string>> = {
  'node-heartbeat': 'its steps are prose; the node agent has its own tests',
  'random-017': 'stopping the sandbox took the recorded machine two seconds',
  'random-069': 'four probes of two containers answer within a millisecond, in an order that no replay meets',
  'restart-crashloop': 'six jittered back-offs in a row: no replay meets the order of one of the three passes',
};

function read(name: string): Recording {
  return JSON.parse(readFileSync(join(folder ?? '', `${name}.json`), 'utf8')) as Recording;
}

describe.skipIf(folder === undefined)('recordings of a real kubelet (skipped without ../shared/goldens/kubelet)', () => {
  const names =
    folder === undefined
      ? []
      : readdirSync(folder)
          .filter((file) => file.endsWith('.json'))
          .map((file) => file.slice(0, -'.json'.length));

  it('names only recordings that exist among the misses, at most one in twelve', () => {
    expect(Object.keys(MISSES).filter((name) => !names.includes(name))).toEqual([]);
    expect(Object.keys(MISSES).length).toBeLessThan(names.length / 12);
  });

  for (const name of names) {
    it.skipIf(name in MISSES)(`${name} is followed`, () => {
      expect(runKubeletRecording(read(name)).problems).toEqual([]);
    });
  }
});

describe.skipIf(folder === undefined)('a damaged recording fails', () => {
  it('with another value, an update too many or too few, another event, or late', () => {
    const recording = read('term-kill');
    const seen = replay(recording, { phaseUs: 150_000, relistUs: 1_000_000, slowness: 1 }, 'golden 0');
    const damaged = (change: (text: string) => string) => compare(JSON.parse(change(JSON.stringify(recording))) as Recording, seen).length;
    expect(damaged((text) => text)).toBe(0);
    expect(damaged((text) => text.replaceAll('"exitCode":137', '"exitCode":143'))).toBeGreaterThan(0);
    expect(damaged((text) => text.replace('"phase":"Failed"', '"phase":"Succeeded"'))).toBeGreaterThan(0);
    expect(damaged((text) => text.replace('Stopping container c', 'Stopping container d'))).toBeGreaterThan(0);
    expect(damaged((text) => text.replace('"t":9.2', '"t":4.2'))).toBeGreaterThan(0);
    const changed = (change: (recording: { [field: string]: unknown }) => void) =>
      damaged((text) => {
        const parsed = JSON.parse(text) as { [field: string]: unknown };
        change(parsed);
        return JSON.stringify(parsed);
      });
    const updatesOf = (recording: { [field: string]: unknown }) =>
      Object.values(recording['pods'] as { [pod: string]: { updates: unknown[] } })[0]?.updates ?? [];
    const linesOf = (recording: { [field: string]: unknown }) =>
      Object.values(Object.values(recording['program'] as { [pod: string]: { [container: string]: unknown[] } })[0] ?? {})[0] ?? [];
    expect(changed((parsed) => void updatesOf(parsed).pop())).toBeGreaterThan(0);
    expect(changed((parsed) => void updatesOf(parsed).splice(1, 1))).toBeGreaterThan(0);
    expect(changed((parsed) => void updatesOf(parsed).reverse())).toBeGreaterThan(0);
    expect(changed((parsed) => void (parsed['events'] as unknown[]).pop())).toBeGreaterThan(0);
    expect(changed((parsed) => void linesOf(parsed).shift())).toBeGreaterThan(0);
  });
});
