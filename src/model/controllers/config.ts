import { MILLISECOND, MINUTE, SECOND, type Micros } from '../../sim/time.ts';

/** Flags of kube-controller-manager 1.35 that the model honours, with their defaults. */
export interface ControllerManagerConfig {
  /** --kube-api-qps and --kube-api-burst; 0 lifts the limit. */
  readonly kubeApiQps: number;
  readonly kubeApiBurst: number;
  readonly leaderElect: boolean;
  readonly leaseDurationUs: Micros;
  readonly renewDeadlineUs: Micros;
  readonly retryPeriodUs: Micros;
  /** Names of controllers that are not started (`--controllers=*,-name`). */
  readonly disabledControllers: readonly string[];
  readonly concurrentDeploymentSyncs: number;
  readonly concurrentReplicaSetSyncs: number;
  readonly concurrentStatefulSetSyncs: number;
  readonly concurrentDaemonSetSyncs: number;
  readonly concurrentJobSyncs: number;
  readonly concurrentCronJobSyncs: number;
  readonly concurrentEndpointSliceSyncs: number;
  readonly concurrentGcSyncs: number;
  readonly concurrentNamespaceSyncs: number;
  readonly concurrentServiceAccountSyncs: number;
  readonly concurrentResourceQuotaSyncs: number;
  readonly concurrentTtlSyncs: number;
  readonly concurrentHpaSyncs: number;
  readonly maxEndpointsPerSlice: number;
  readonly nodeMonitorPeriodUs: Micros;
  readonly nodeMonitorGracePeriodUs: Micros;
  readonly nodeStartupGracePeriodUs: Micros;
  /** Nodes evicted a second in a healthy zone, and in an unhealthy large one. */
  readonly nodeEvictionRate: number;
  readonly secondaryNodeEvictionRate: number;
  readonly largeClusterSizeThreshold: number;
  readonly unhealthyZoneThreshold: number;
  readonly terminatedPodGcThreshold: number;
  readonly namespaceSyncPeriodUs: Micros;
  readonly resourceQuotaSyncPeriodUs: Micros;
  readonly hpaSyncPeriodUs: Micros;
  readonly hpaDownscaleStabilizationUs: Micros;
  readonly hpaTolerance: number;
  readonly hpaCpuInitializationPeriodUs: Micros;
  readonly hpaInitialReadinessDelayUs: Micros;
  readonly allocateNodeCidrs: boolean;
  readonly clusterCidr: string;
  readonly nodeCidrMaskSize: number;
  /** Gate WatchListClient of client-go. */
  readonly watchList: boolean;
  /** Feature gates that differ from 1.35's defaults. */
  readonly featureGates: Readonly<Record<string, boolean>>;
  /** CPU that one reconciliation costs. */
  readonly reconcileCostUs: Micros;
}

export const DEFAULT_CONTROLLER_MANAGER_CONFIG: ControllerManagerConfig = {
  kubeApiQps: 20,
  kubeApiBurst: 30,
  leaderElect: true,
  leaseDurationUs: 15 * SECOND,
  renewDeadlineUs: 10 * SECOND,
  retryPeriodUs: 2 * SECOND,
  disabledControllers: [],
  concurrentDeploymentSyncs: 5,
  concurrentReplicaSetSyncs: 5,
  concurrentStatefulSetSyncs: 5,
  concurrentDaemonSetSyncs: 2,
  concurrentJobSyncs: 5,
  concurrentCronJobSyncs: 5,
  concurrentEndpointSliceSyncs: 5,
  concurrentGcSyncs: 20,
  concurrentNamespaceSyncs: 10,
  concurrentServiceAccountSyncs: 5,
  concurrentResourceQuotaSyncs: 5,
  concurrentTtlSyncs: 5,
  concurrentHpaSyncs: 5,
  maxEndpointsPerSlice: 100,
  nodeMonitorPeriodUs: 5 * SECOND,
  nodeMonitorGracePeriodUs: 50 * SECOND,
  nodeStartupGracePeriodUs: 60 * SECOND,
  nodeEvictionRate: 0.1,
  secondaryNodeEvictionRate: 0.01,
  largeClusterSizeThreshold: 50,
  unhealthyZoneThreshold: 0.55,
  terminatedPodGcThreshold: 12_500,
  namespaceSyncPeriodUs: 5 * MINUTE,
  resourceQuotaSyncPeriodUs: 5 * MINUTE,
  hpaSyncPeriodUs: 15 * SECOND,
  hpaDownscaleStabilizationUs: 5 * MINUTE,
  hpaTolerance: 0.1,
  hpaCpuInitializationPeriodUs: 5 * MINUTE,
  hpaInitialReadinessDelayUs: 30 * SECOND,
  allocateNodeCidrs: true,
  clusterCidr: '10.244.0.0/16',
  nodeCidrMaskSize: 24,
  watchList: true,
  featureGates: {},
  reconcileCostUs: MILLISECOND / 20,
};
