import { quantityOf, quantityValue } from '../../api/quantity.ts';
import type { Micros } from '../../../sim/time.ts';
import type { KubeletConfig } from '../config.ts';

/** What is watched: upstream eviction/api/types.go. Inodes and process ids are not modelled. */
export type Signal = 'memory.available' | 'nodefs.available' | 'imagefs.available';

export interface Threshold {
  readonly signal: Signal;
  /** Of the capacity, in hundredths, or bytes. */
  readonly amount: { readonly percent: number } | { readonly bytes: number };
  /** 0: pods are ended as soon as it is met (a hard threshold). */
  readonly gracePeriodUs: Micros;
  readonly hard: boolean;
  readonly minReclaimBytes: number;
}

export interface Observation {
  readonly availableBytes: number;
  readonly capacityBytes: number;
}

export type Observations = Readonly<Record<Signal, Observation>>;

const SIGNALS: readonly Signal[] = ['memory.available', 'nodefs.available', 'imagefs.available'];

/** The node's condition that a met threshold stands for. */
export function conditionOfSignal(signal: Signal): 'MemoryPressure' | 'DiskPressure' {
  return signal === 'memory.available' ? 'MemoryPressure' : 'DiskPressure';
}

/** The resource as messages name it. */
export function resourceOfSignal(signal: Signal): 'memory' | 'ephemeral-storage' {
  return signal === 'memory.available' ? 'memory' : 'ephemeral-storage';
}

/** Upstream ParseThresholdConfig. A disk and its images are one file system here, so both disk signals look at the same. */
export function thresholdsOf(config: KubeletConfig): readonly Threshold[] {
  const parse = (signals: Readonly<Record<string, string>>, hard: boolean): readonly Threshold[] =>
    SIGNALS.flatMap((signal) => {
      const text = signals[signal];
      if (text === undefined) return [];
      return [
        {
          signal,
          amount: text.endsWith('%') ? { percent: Number(text.slice(0, -1)) } : { bytes: quantityValue(quantityOf(text)) },
          gracePeriodUs: hard ? 0 : (config.evictionSoftGracePeriodUs[signal] ?? 0),
          hard,
          minReclaimBytes: quantityValue(quantityOf(config.evictionMinimumReclaim[signal] ?? '0')),
        },
      ];
    });
  return [...parse(config.evictionHard, true), ...parse(config.evictionSoft, false)];
}

export function amountBytes(threshold: Threshold, observation: Observation): number {
  return 'bytes' in threshold.amount ? threshold.amount.bytes : Math.floor((observation.capacityBytes * threshold.amount.percent) / 100);
}

/** Upstream thresholdsMet. `reclaiming`: one that was met counts as met until its minimum reclaim is there too. */
export function isMet(threshold: Threshold, observations: Observations, reclaiming: boolean): boolean {
  const observation = observations[threshold.signal];
  return observation.availableBytes < amountBytes(threshold, observation) + (reclaiming ? threshold.minReclaimBytes : 0);
}

/** Memory is reclaimed before disk: upstream byEvictionPriority. */
export function byEvictionPriority(a: Threshold, b: Threshold): number {
  return SIGNALS.indexOf(a.signal) - SIGNALS.indexOf(b.signal) || Number(b.hard) - Number(a.hard);
}
