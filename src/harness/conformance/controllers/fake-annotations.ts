import type { Pod } from '../../../model/api/types.ts';
import { MILLISECOND, MINUTE, SECOND, type Micros } from '../../../sim/time.ts';

/** The annotation `golden/<name>` of a pod: README, "The fake kubelet". */
export function annotationOf(pod: Pod, name: string): string | undefined {
  return pod.metadata.annotations?.[`golden/${name}`];
}

/** '500ms', '2s', '1m30s' in microseconds. */
export function durationUs(text: string | undefined, otherwise: Micros): Micros {
  if (text === undefined) return otherwise;
  let total = 0;
  for (const match of text.matchAll(/([0-9.]+)(ms|s|m|h)/g)) {
    const unit = { ms: MILLISECOND, s: SECOND, m: MINUTE, h: 60 * MINUTE }[match[2] as 'ms' | 's' | 'm' | 'h'];
    total += Number(match[1]) * unit;
  }
  return text === '0' ? 0 : Math.round(total);
}

/** Exit codes by the order in which the pods of one controller (and completion index) start. */
export class ExitCodes {
  readonly #starts = new Map<string, number>();

  next(pod: Pod): number {
    const index = pod.metadata.annotations?.['batch.kubernetes.io/job-completion-index'];
    const ofIndex = index === undefined ? undefined : annotationOf(pod, `exit-codes-index-${index}`);
    const list = ofIndex ?? annotationOf(pod, 'exit-codes');
    if (list === undefined) return Number(annotationOf(pod, 'exit-code') ?? '0');
    const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller === true)?.uid ?? pod.metadata.uid ?? '';
    const key = `${owner}/${index ?? ''}`;
    const nth = this.#starts.get(key) ?? 0;
    this.#starts.set(key, nth + 1);
    const codes = list.split(',');
    return Number(codes[Math.min(nth, codes.length - 1)]);
  }
}
