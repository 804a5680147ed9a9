import type { ControllerRow } from './context.ts';
import { disruptionController } from './disruption.ts';
import { garbageCollectorController } from './garbage-collector.ts';
import { namespaceController } from './namespace.ts';
import { nodeIpamController } from './node-ipam.ts';
import { nodeLifecycleController } from './node-lifecycle.ts';
import { nodeTtlController } from './node-ttl.ts';
import { podGcController } from './pod-gc.ts';
import { resourceQuotaController } from './resource-quota.ts';
import { rootCaPublisherController } from './root-ca-publisher.ts';
import { serviceAccountController } from './service-account.ts';
import { taintEvictionController } from './taint-eviction.ts';
import { ttlAfterFinishedController } from './ttl-after-finished.ts';
import { volumeBinderController } from './volume-binder.ts';
import { claimProtectionController, volumeProtectionController } from './volume-protection.ts';
import { startDeploymentController } from './deployment.ts';
import { startReplicaSetController, startReplicationController } from './replicaset.ts';
import { startEndpointSliceController } from './endpoint-slice.ts';
import { startEndpointSliceMirroringController } from './endpoint-slice-mirroring.ts';
import { startEndpointsController } from './endpoints.ts';
import { startCronJobController } from './cronjob.ts';
import { startDaemonSetController } from './daemonset.ts';
import { startHpaController } from './hpa.ts';
import { startJobController } from './job.ts';
import { startStatefulSetController } from './statefulset.ts';

/** Every controller that the manager can run: one row each, started in this order. */
export const CONTROLLERS: readonly ControllerRow[] = [
  namespaceController,
  serviceAccountController,
  rootCaPublisherController,
  nodeIpamController,
  nodeLifecycleController,
  nodeTtlController,
  taintEvictionController,
  podGcController,
  disruptionController,
  resourceQuotaController,
  ttlAfterFinishedController,
  volumeBinderController,
  claimProtectionController,
  volumeProtectionController,
  garbageCollectorController,
  { name: 'deployment-controller', start: startDeploymentController },
  { name: 'replicaset-controller', start: startReplicaSetController },
  { name: 'replicationcontroller-controller', start: startReplicationController },
  { name: 'endpointslice-controller', start: startEndpointSliceController },
  { name: 'endpointslice-mirroring-controller', start: startEndpointSliceMirroringController },
  { name: 'endpoints-controller', start: startEndpointsController },
  { name: 'statefulset-controller', start: startStatefulSetController },
  { name: 'daemonset-controller', start: startDaemonSetController },
  { name: 'cronjob-controller', start: startCronJobController },
  { name: 'job-controller', start: startJobController },
  { name: 'horizontal-pod-autoscaler-controller', start: startHpaController },
];
