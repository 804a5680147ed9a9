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
  'kubelet-away': 'the log of the force-deleted container was lost in the recording; the model keeps it',
  'liveness-slow-stop': 'all passes met one alignment of ticks and relists that the replays do not hit',
  'node-heartbeat': 'its steps are prose; the node agent has its own tests',
  'random-003': 'alignment of ticks and relists',
  'random-015': 'a probe falls into the moment between the end of the sandbox and the end of the prober',
  'random-017': 'alignment of ticks and relists',
  'random-025': 'alignment of ticks and relists',
  'random-069': 'alignment of ticks and relists',
  'reboot-look': 'sandboxes and containers that vanish together: the order of the first two statuses afterwards',
  'restart-crashloop': 'the recorded container starts within 0.1 s, faster than the modelled runtime',
  'runtime-restart': 'the log of a container that ended while its runtime was away was lost in the recording',
  'startup-restart': 'alignment of ticks and relists',
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
  });
});
