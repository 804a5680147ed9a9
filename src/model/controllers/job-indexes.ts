import type { Pod } from '../api/types.ts';

export const completionIndexAnnotation = 'batch.kubernetes.io/job-completion-index';
export const indexFailureCountAnnotation = 'batch.kubernetes.io/job-index-failure-count';

/** The completion index of a pod of an Indexed job, or -1. */
export function completionIndex(pod: Pod): number {
  const text = pod.metadata.annotations?.[completionIndexAnnotation];
  return text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : -1;
}

/** '0,2-4' as a set; what is not below `completions` is left out. */
export function parseIndexes(text: string | undefined, completions: number): Set<number> {
  const indexes = new Set<number>();
  for (const part of text === undefined || text === '' ? [] : text.split(',')) {
    const [low = '', high = low] = part.split('-');
    for (let index = Number(low); index <= Number(high) && index < completions; index++) indexes.add(index);
  }
  return indexes;
}

/** Runs of three and more with a dash, others with commas: upstream orderedIntervals.String. */
export function formatIndexes(indexes: ReadonlySet<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let i = 0; i < sorted.length; ) {
    const first = sorted[i] as number;
    let last = first;
    while (i + 1 < sorted.length && sorted[i + 1] === last + 1) {
      last++;
      i++;
    }
    i++;
    parts.push(first === last ? String(first) : last === first + 1 ? `${first},${last}` : `${first}-${last}`);
  }
  return parts.join(',');
}

/** How often the index of the pod had failed before this pod. */
export function indexFailures(pod: Pod): number {
  return Number(pod.metadata.annotations?.[indexFailureCountAnnotation] ?? '0');
}
