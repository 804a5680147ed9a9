import type { EtcdConfig } from '../../../model/etcd/server/config.ts';
import { SECOND } from '../../../sim/time.ts';
import { isCase, parseRecording } from './recording.ts';
import { type LineResult, Replay } from './replay.ts';

/** What came of a whole recording. A case is a line with a request or an observation. */
export interface EtcdRecordingResult {
  readonly cases: readonly LineResult[];
  readonly passed: number;
  readonly total: number;
}

/** The flags that a recording was made with; what they are shows in what was recorded (README of the recordings). */
function settingsOf(name: string, text: string): Partial<EtcdConfig> {
  return {
    ...(text.includes('database space exceeded') ? { quotaBytes: 8_000_000 } : {}),
    ...(text.includes('progress_notify') ? { watchProgressIntervalUs: SECOND } : {}),
    ...(name.startsWith('limits') ? { txnOpsMax: 4 } : {}),
  };
}

/** Replays one recording of a real etcd against a simulated cluster; `name` is the file's name without its ending. */
export function runEtcdRecording(name: string, text: string): EtcdRecordingResult {
  const lines = parseRecording(text);
  const results = new Replay(lines, settingsOf(name, text)).run();
  const cases = results.filter((_, i) => {
    const line = lines[i];
    return line !== undefined && isCase(line);
  });
  return { cases, passed: cases.filter((line) => line.difference === undefined).length, total: cases.length };
}
