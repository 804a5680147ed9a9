import type { EtcdConfig } from '../../../model/etcd/server/config.ts';
import { SECOND } from '../../../sim/time.ts';
import { isCase, parseRecording, type RecordedLine } from './recording.ts';
import { type LineResult, Replay } from './replay.ts';

/** What came of a whole recording. A case is a line with a request or an observation. */
export interface EtcdRecordingResult {
  readonly cases: readonly LineResult[];
  readonly passed: number;
  readonly total: number;
}

/** The flags that a recording was made with; what they are shows in what was recorded (README of the recordings). */
function settingsOf(lines: readonly RecordedLine[], text: string): Partial<EtcdConfig> {
  const txnOpsMax = txnOpsMaxOf(lines);
  return {
    ...(text.includes('database space exceeded') ? { quotaBytes: 8_000_000 } : {}),
    ...(text.includes('progress_notify') ? { watchProgressIntervalUs: SECOND } : {}),
    ...(txnOpsMax === undefined ? {} : { txnOpsMax }),
  };
}

/** Where short transactions are refused for their length, the limit is that of the longest one that was not. */
function txnOpsMaxOf(lines: readonly RecordedLine[]): number | undefined {
  const isTooLong = (line: RecordedLine): boolean => line.error?.message === 'etcdserver: too many operations in txn request';
  // Long ones are recorded as a bodySpec; they are refused by default too.
  if (!lines.some((line) => isTooLong(line) && line.request?.bodySpec === undefined)) return undefined;
  const lengths = lines.filter((line) => line.error === undefined).flatMap((line) => txnLengths(line.request?.body));
  return Math.max(1, ...lengths);
}

function txnLengths(body: unknown): readonly number[] {
  const { compare, success, failure } = (body ?? {}) as Readonly<Record<string, unknown>>;
  return [compare, success, failure].map((list) => (Array.isArray(list) ? list.length : 0));
}

/** Replays one recording of a real etcd against a simulated cluster. */
export function runEtcdRecording(text: string): EtcdRecordingResult {
  const lines = parseRecording(text);
  const results = new Replay(lines, settingsOf(lines, text)).run();
  const cases = results.filter((_, i) => {
    const line = lines[i];
    return line !== undefined && isCase(line);
  });
  return { cases, passed: cases.filter((line) => line.difference === undefined).length, total: cases.length };
}
