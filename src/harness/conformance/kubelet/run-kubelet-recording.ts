import { compare } from './compare.ts';
import type { Recording } from './recording.ts';
import { replay } from './replay.ts';

export interface KubeletResult {
  readonly name: string;
  readonly passed: boolean;
  /** What differed in the attempt that came closest. */
  readonly problems: readonly string[];
}

/** Steps of a tenth of the kubelet's second. */
const PHASES = [50_000, 150_000, 250_000, 350_000, 450_000, 550_000, 650_000, 750_000, 850_000, 950_000];
const RELISTS = [1_000_000, 1_020_000, 1_050_000, 1_080_000];
const SLOWNESS = [1, 0.5, 2, 3];

/** Replays a recording under several conditions; it passes when under one of them the kubelet does what the recording says. */
export function runKubeletRecording(recording: Recording): KubeletResult {
  let best: readonly string[] | undefined;
  for (let seed = 0; seed < RELISTS.length * SLOWNESS.length; seed++) {
    const relistUs = RELISTS[seed % RELISTS.length] ?? 1_020_000;
    const slowness = SLOWNESS[Math.floor(seed / RELISTS.length)] ?? 1;
    for (const phaseUs of PHASES) {
      const problems = compare(recording, replay(recording, { phaseUs, relistUs, slowness }, `golden ${seed}`));
      if (problems.length === 0) return { name: recording.name, passed: true, problems: [] };
      if (best === undefined || problems.length < best.length) best = problems;
    }
  }
  return { name: recording.name, passed: false, problems: best ?? [] };
}
