import { MINUTE, MILLISECOND, SECOND, type Micros } from '../../sim/time.ts';

/** Settings of a kubelet: KubeletConfiguration of Kubernetes 1.35 under its own names, times in microseconds. */
export interface KubeletConfig {
  /** How often a pod that has no news is synced again, plus up to 50 % of jitter. */
  readonly syncFrequencyUs: Micros;
  readonly nodeStatusUpdateFrequencyUs: Micros;
  readonly nodeStatusReportFrequencyUs: Micros;
  readonly nodeLeaseDurationSeconds: number;
  readonly serializeImagePulls: boolean;
  /** Pulls side by side when not serialised; 0: no limit. */
  readonly maxParallelImagePulls: number;
  readonly maxPods: number;
  readonly crashLoopBackOffMaxUs: Micros;
  readonly crashLoopBackOffInitialUs: Micros;
  readonly imagePullBackOffInitialUs: Micros;
  readonly imagePullBackOffMaxUs: Micros;
  /** How often container states are looked at (the generic PLEG). */
  readonly plegRelistPeriodUs: Micros;
  /** Pause after a sync that failed, plus up to 50 % of jitter. */
  readonly podSyncBackOffUs: Micros;
  /** The status manager looks for statuses that others changed this often. */
  readonly statusSyncPeriodUs: Micros;
  /** The runtime may be away this long before the node says so (maxWaitForContainerRuntime). */
  readonly runtimeAwayMaxUs: Micros;
  readonly shutdownGracePeriodUs: Micros;
  readonly shutdownGracePeriodCriticalPodsUs: Micros;
  readonly evictionPressureTransitionPeriodUs: Micros;
  /** Amounts below which pods are ended at once, by signal ('memory.available', 'nodefs.available', 'imagefs.available'): '100Mi' or '10%'. */
  readonly evictionHard: Readonly<Record<string, string>>;
  /** Amounts below which pods are ended gracefully when that lasts. */
  readonly evictionSoft: Readonly<Record<string, string>>;
  readonly evictionSoftGracePeriodUs: Readonly<Record<string, Micros>>;
  /** Longest grace period of a pod that a soft threshold ends. */
  readonly evictionMaxPodGracePeriodSeconds: number;
  /** How far beyond a threshold the amount must rise before it counts as met no longer. */
  readonly evictionMinimumReclaim: Readonly<Record<string, string>>;
  /** Most images that the node status names. */
  readonly nodeStatusMaxImages: number;
  readonly kubeApiQps: number;
  readonly kubeApiBurst: number;
  readonly eventQps: number;
  readonly eventBurst: number;
  readonly registryPullQps: number;
  readonly registryBurst: number;
  readonly allowedUnsafeSysctls: readonly string[];
  /** Resources kept from pods: kubeReserved + systemReserved. */
  readonly reserved: { readonly cpuMilli: number; readonly memoryBytes: number };
}

export const DEFAULT_KUBELET_CONFIG: KubeletConfig = {
  syncFrequencyUs: MINUTE,
  nodeStatusUpdateFrequencyUs: 10 * SECOND,
  nodeStatusReportFrequencyUs: 5 * MINUTE,
  nodeLeaseDurationSeconds: 40,
  serializeImagePulls: true,
  maxParallelImagePulls: 0,
  maxPods: 110,
  crashLoopBackOffMaxUs: 300 * SECOND,
  crashLoopBackOffInitialUs: 10 * SECOND,
  imagePullBackOffInitialUs: 10 * SECOND,
  imagePullBackOffMaxUs: 300 * SECOND,
  // A second after the relist before has ended, which takes some milliseconds: so it drifts against the probes' ticks.
  plegRelistPeriodUs: 1_020 * MILLISECOND,
  podSyncBackOffUs: 10 * SECOND,
  statusSyncPeriodUs: 10 * SECOND,
  runtimeAwayMaxUs: 30 * SECOND,
  shutdownGracePeriodUs: 0,
  shutdownGracePeriodCriticalPodsUs: 0,
  evictionPressureTransitionPeriodUs: 5 * MINUTE,
  evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '10%', 'imagefs.available': '15%' },
  evictionSoft: {},
  evictionSoftGracePeriodUs: {},
  evictionMaxPodGracePeriodSeconds: 0,
  evictionMinimumReclaim: {},
  nodeStatusMaxImages: 50,
  kubeApiQps: 50,
  kubeApiBurst: 100,
  eventQps: 50,
  eventBurst: 100,
  registryPullQps: 5,
  registryBurst: 10,
  allowedUnsafeSysctls: [],
  reserved: { cpuMilli: 0, memoryBytes: 0 },
};

/** Jitter of requeues: up to this part of the delay on top (workerResyncIntervalJitterFactor). */
export const REQUEUE_JITTER_PERCENT = 50;

/** A container is given at least this long between SIGTERM and SIGKILL (minimumGracePeriodInSeconds). */
export const MINIMUM_GRACE_SECONDS = 2;

/** Pause before a node registration that failed is tried again; doubles up to 7 s. */
export const REGISTRATION_RETRY_US: Micros = 100 * MILLISECOND;

/** The machine under a kubelet and how it presents itself. */
export interface NodeSpec {
  /** Node object and host have one name. */
  readonly name: string;
  readonly internalIp: string;
  /** Addresses of its pods: '10.244.3.0/24'. */
  readonly podCidr: string;
  readonly os: 'linux' | 'windows';
  readonly arch: 'amd64' | 'arm64';
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly ephemeralStorageBytes: number;
  readonly zone?: string;
  readonly region?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly {
    readonly key: string;
    readonly value?: string;
    readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
  }[];
  readonly extendedResources?: Readonly<Record<string, string>>;
  /** 'v1.35.4'. */
  readonly kubeletVersion: string;
}
