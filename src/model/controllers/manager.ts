import { EventBroadcaster } from '../client/events.ts';
import { InformerFactory } from '../client/informer-factory.ts';
import { LeaderElector } from '../client/leader-election.ts';
import { ApiTransport } from '../client/transport.ts';
import { Client } from '../client/typed-client.ts';
import type { DefectSet } from '../defects.ts';
import type { Facts } from '../facts.ts';
import type { Program } from '../../sim/host.ts';
import type { Endpoint } from '../../sim/network.ts';
import type { Process } from '../../sim/process.ts';
import { SECOND } from '../../sim/time.ts';
import type { ControllerManagerConfig } from './config.ts';
import type { PodMetricsSource } from './pod-metrics.ts';
import { ControllerContext, type ControllerRow } from './context.ts';

export interface ControllerManagerOptions {
  /** Program name: 'kcm-0'. */
  readonly name: string;
  readonly servers: readonly Endpoint[];
  /** Index of the API server on the own host. */
  readonly preferredServer?: number;
  readonly controllers: readonly ControllerRow[];
  readonly config: ControllerManagerConfig;
  readonly facts: Facts;
  readonly defects: DefectSet;
  /** Usage of pods, where it does not come from the metrics API. */
  readonly metrics?: (process: Process) => PodMetricsSource;
}

const USER = { name: 'system:kube-controller-manager', groups: ['system:authenticated'] };
const USER_AGENT = 'kube-controller-manager';

/**
 * kube-controller-manager: competes for its Lease, starts the controllers when it leads, and exits when it loses the lease
 * (cmd/kube-controller-manager/app/controllermanager.go). Its static pod starts it again.
 */
export function controllerManager(options: ControllerManagerOptions): Program {
  return { name: options.name, restartAfterUs: SECOND, start: (process) => startManager(process, options) };
}

function startManager(process: Process, options: ControllerManagerOptions): void {
  const { config, facts } = options;
  const connection = {
    servers: options.servers,
    user: USER,
    userAgent: USER_AGENT,
    facts,
    ...(options.preferredServer === undefined ? {} : { preferred: options.preferredServer }),
  };
  const lead = () => {
    const limits = config.kubeApiQps > 0 ? { qps: config.kubeApiQps, burst: config.kubeApiBurst } : {};
    const client = new Client(new ApiTransport(process, { ...connection, ...limits }));
    const context = new ControllerContext({
      process,
      client,
      // A new leader that lists from a lagging API server's cache does not know what the last one did and does it again: two daemons on one
      // node (kubernetes#54096). The stream of initial state is as new as etcd; a list at resourceVersion 0 is not.
      informers: new InformerFactory(client.transport, { watchList: config.watchList && !options.defects.has('K7') }),
      events: new EventBroadcaster(client),
      config,
      facts,
      defects: options.defects,
      ...(options.metrics === undefined ? {} : { metrics: options.metrics(process) }),
    });
    for (const controller of options.controllers) if (!config.disabledControllers.includes(controller.name)) controller.start(context);
    context.informers.start();
  };
  if (!config.leaderElect) {
    lead();
    return;
  }
  // The elector has a connection and a rate limit of its own, so that a busy manager does not lose its lease.
  const elector = new LeaderElector(new Client(new ApiTransport(process, connection)), {
    namespace: 'kube-system',
    name: 'kube-controller-manager',
    identity: `${process.host.name}_${process.random.u32().toString(16).padStart(8, '0')}`,
    leaseDurationUs: config.leaseDurationUs,
    renewDeadlineUs: config.renewDeadlineUs,
    retryPeriodUs: config.retryPeriodUs,
    facts,
    ignoresLoss: options.defects.has('K6'),
    onStartedLeading: lead,
    onStoppedLeading: () => process.exit(1, 'leaderelection lost'),
  });
  process.spawn('leader-election', elector.run());
}
