import type { Labels, ParsedLabelSelector } from '../api/label-selector.ts';
import type { QueueEvent } from './queue-event.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod, PodDisruptionBudget, StorageClass } from '../api/types.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import type { PodCounts } from './pod-counts.ts';
import type { Refusal } from './status.ts';

/** What a scheduling cycle may read: the scheduler's own caches, never the truth. */
export interface SchedulingView {
  /** Nodes with a node object, in the order of the node tree (zones taken in turn). */
  readonly nodes: readonly NodeInfo[];
  readonly node: (name: string) => NodeInfo | undefined;
  /** Whether any pod in the cache has affinity terms, so that most cycles skip looking. */
  readonly anyAffinity: boolean;
  readonly anyRequiredAntiAffinity: boolean;
  /** How many pods a selector matches on each node, kept between cycles. */
  readonly counts: PodCounts;
  readonly namespaceLabels: (namespace: string) => Labels;
  /** The selector of the services, replication controllers, replica sets and stateful sets of a pod: upstream helper.DefaultSelector. */
  readonly defaultSelector: (pod: Pod) => ParsedLabelSelector;
  readonly volumes: VolumeView | undefined;
  readonly budgets: () => readonly PodDisruptionBudget[];
}

/** Claims, volumes and classes as the scheduler's informers (and its assumptions) know them. */
export interface VolumeView {
  readonly claim: (namespace: string, name: string) => PersistentVolumeClaim | undefined;
  readonly volume: (name: string) => PersistentVolume | undefined;
  readonly volumes: () => readonly PersistentVolume[];
  readonly storageClass: (name: string) => StorageClass | undefined;
}

/** PreFilter and Filter of one plugin for one pod; the closure is upstream's cycle state. */
export interface NodeFilter {
  readonly filter: (node: NodeInfo) => Refusal | undefined;
  /** Only these nodes can pass (upstream PreFilterResult.NodeNames). */
  readonly onlyNodes?: ReadonlySet<string>;
  /** Upstream PreFilterExtensions: the same filter as if the pod were (not) on the node; absent where pods elsewhere do not matter. */
  readonly withPod?: (added: PodInfo, node: NodeInfo) => NodeFilter;
  readonly withoutPod?: (removed: PodInfo, node: NodeInfo) => NodeFilter;
}

/** 'skip': the plugin has nothing to say about this pod. */
export type Prepared<T> = T | 'skip' | Refusal;

export interface FilterPlugin {
  readonly name: string;
  readonly prepareFilter: (pod: PodInfo, view: SchedulingView) => Prepared<NodeFilter>;
  /** The queueing hint (KEP-4247): whether an event may make a pod schedulable that this plugin refused. */
  readonly mayHelp: (pod: PodInfo, event: QueueEvent, view: SchedulingView) => boolean;
}

/** PreScore, Score and NormalizeScore of one plugin for one pod. */
export interface NodeScorer {
  /** Raw scores of all nodes into `scores`, one place a node: one call for all, because a call a node costs as much as its score. */
  readonly scoreAll: (nodes: readonly NodeInfo[], scores: number[]) => void;
  /** Brings raw scores to 0..100, in place. */
  readonly normalize?: (scores: number[], nodes: readonly NodeInfo[]) => void;
}

export interface ScorePlugin {
  readonly name: string;
  readonly weight: number;
  readonly prepareScore: (pod: PodInfo, nodes: readonly NodeInfo[], view: SchedulingView) => NodeScorer | 'skip';
}

/** The largest score before weights: upstream framework.MaxNodeScore. */
export const nodeScoreMax = 100;

/** Upstream helper.DefaultNormalizeScore: scales to 0..100 by the largest score, upside down when `reverse`. */
export function normalizeByMax(scores: number[], reverse: boolean): void {
  let max = 0;
  for (const score of scores) if (score > max) max = score;
  if (max === 0) {
    if (reverse) scores.fill(nodeScoreMax);
    return;
  }
  for (let i = 0; i < scores.length; i++) {
    const scaled = Math.floor((nodeScoreMax * (scores[i] as number)) / max);
    scores[i] = reverse ? nodeScoreMax - scaled : scaled;
  }
}
