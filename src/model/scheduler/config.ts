import { MINUTE, type Micros, SECOND } from '../../sim/time.ts';

/** KubeSchedulerConfiguration as far as the model follows it; defaults are those of Kubernetes 1.35. */
export interface SchedulerConfig {
  readonly schedulerName: string;
  /** 0: adaptive, 50 % minus one per 125 nodes, at least 5 %. */
  readonly percentageOfNodesToScore: number;
  readonly podInitialBackoffUs: Micros;
  readonly podMaxBackoffUs: Micros;
  /** Unschedulable pods are tried again after this long even without an event. */
  readonly unschedulableTimeoutUs: Micros;
  /** CPU time of one scheduling attempt: a fixed part and a part a node. */
  readonly cycleCostUs: Micros;
  readonly cycleCostPerNodeNs: number;
  /** clientConnection.qps and burst; 0 lifts the limit. */
  readonly kubeApiQps: number;
  readonly kubeApiBurst: number;
  readonly leaderElect: boolean;
  readonly leaseDurationUs: Micros;
  readonly renewDeadlineUs: Micros;
  readonly retryPeriodUs: Micros;
  /** Gate WatchListClient of client-go. */
  readonly watchList: boolean;
}

export const DEFAULT_SCHEDULER_CONFIG: SchedulerConfig = {
  schedulerName: 'default-scheduler',
  percentageOfNodesToScore: 0,
  podInitialBackoffUs: 1 * SECOND,
  podMaxBackoffUs: 10 * SECOND,
  unschedulableTimeoutUs: 5 * MINUTE,
  // An attempt of the real scheduler on a small cluster takes about a millisecond, some microseconds more a node (scheduler_perf).
  cycleCostUs: 300,
  cycleCostPerNodeNs: 2000,
  kubeApiQps: 50,
  kubeApiBurst: 100,
  leaderElect: true,
  leaseDurationUs: 15 * SECOND,
  renewDeadlineUs: 10 * SECOND,
  retryPeriodUs: 2 * SECOND,
  watchList: true,
};

/** Upstream numFeasibleNodesToFind. */
export function feasibleNodesToFind(nodeCount: number, percentage: number): number {
  if (nodeCount < 100) return nodeCount;
  const share = percentage === 0 ? Math.max(5, 50 - Math.floor(nodeCount / 125)) : percentage;
  return Math.max(100, Math.floor((nodeCount * share) / 100));
}
