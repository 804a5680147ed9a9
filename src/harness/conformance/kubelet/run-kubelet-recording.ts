import { compare } from './compare.ts';
import type { Recording } from './recording.ts';
import { replay } from './replay.ts';

export interface KubeletResult {
  readonly name: string;
  readonly passed: boolean;
  /** What differed in the attempt that came closest. */
  readonly problems: readonly string[];
}

/** Where in the kubelet's second a scenario may start; the recordings do not say, and any of them is right. */
const PHASES = [50_000, 150_000, 250_000, 350_000, 450_000, 550_000, 650_000, 750_000, 850_000, 950_000];
const RELISTS = [1_000_000, 1_020_000, 1_050_000, 1_080_000];
const SEEDS = 16;

/** Replays a recording at several phases and seeds; it passes when one of them does what the recording says. */
export function runKubeletRecording(recording: Recording): KubeletResult {
  let best: readonly string[] | undefined;
  for (let seed = 0; seed < SEEDS; seed++) {
    for (const phase of PHASES) {
      const problems = compare(recording, replay(recording, phase, RELISTS[seed % RELISTS.length] ?? 1_020_000, `golden ${seed}`));
      if (problems.length === 0) return { name: recording.name, passed: true, problems: [] };
      if (best === undefined || problems.length < best.length) best = problems;
    }
  }
  return { name: recording.name, passed: false, problems: best ?? [] };
}
