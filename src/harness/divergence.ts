import type { DigestCheckpoint } from '../sim/digest.ts';
import { formatSeconds } from '../sim/time.ts';

/** Says where two runs part, from their checkpoints: the virtual second in which the first different event lies. */
export function firstDifference(
  expected: readonly DigestCheckpoint[],
  actual: readonly DigestCheckpoint[],
  expectedEnd: string,
  actualEnd: string,
): string {
  const byTime = new Map(actual.map((checkpoint) => [checkpoint.atUs, checkpoint]));
  let before = 0;
  for (const checkpoint of expected) {
    const other = byTime.get(checkpoint.atUs);
    if (other !== undefined && other.digest === checkpoint.digest) {
      before = checkpoint.atUs;
      continue;
    }
    const events = other === undefined ? 'the other run has ended' : `${checkpoint.events} events expected, ${other.events} seen`;
    return `the first different event lies between ${formatSeconds(before)} and ${formatSeconds(checkpoint.atUs)} (${events} by then)`;
  }
  return expectedEnd === actualEnd
    ? 'same events, another verdict'
    : `the first different event lies after ${formatSeconds(before)}: expected digest ${expectedEnd}, got ${actualEnd}`;
}
