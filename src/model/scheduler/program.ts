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
import type { SchedulerConfig } from './config.ts';
import { Scheduler, type SchedulerParts } from './scheduler.ts';

export interface SchedulerOptions extends Pick<SchedulerParts, 'onDecision' | 'choose'> {
  /** Program name: 'scheduler-0'. */
  readonly name: string;
  readonly servers: readonly Endpoint[];
  /** Index of the API server on the own host. */
  readonly preferredServer?: number;
  readonly config: SchedulerConfig;
  readonly facts: Facts;
  readonly defects?: DefectSet;
  /** Tells of every scheduler that starts (each incarnation anew). */
  readonly onStart?: (scheduler: Scheduler) => void;
}

const USER = { name: 'system:kube-scheduler', groups: ['system:authenticated'] };
const USER_AGENT = 'kube-scheduler';

/**
 * kube-scheduler: fills its caches at once, schedules while it holds the lease, exits when it loses it (cmd/kube-scheduler/app/server.go).
 */
export function schedulerProgram(options: SchedulerOptions): Program {
  return { name: options.name, restartAfterUs: SECOND, start: (process) => startScheduler(process, options) };
}

function startScheduler(process: Process, options: SchedulerOptions): void {
  const { config, facts } = options;
  const connection = {
    servers: options.servers,
    user: USER,
    userAgent: USER_AGENT,
    facts,
    ...(options.preferredServer === undefined ? {} : { preferred: options.preferredServer }),
  };
  const limits = config.kubeApiQps > 0 ? { qps: config.kubeApiQps, burst: config.kubeApiBurst } : {};
  const client = new Client(new ApiTransport(process, { ...connection, ...limits }));
  const informers = new InformerFactory(client.transport, { watchList: config.watchList });
  const scheduler = new Scheduler({
    process,
    client,
    informers,
    recorder: new EventBroadcaster(client).recorder({ component: config.schedulerName }),
    config,
    facts,
    ...(options.defects === undefined ? {} : { defects: options.defects }),
    ...(options.onDecision !== undefined ? { onDecision: options.onDecision } : {}),
    ...(options.choose !== undefined ? { choose: options.choose } : {}),
  });
  options.onStart?.(scheduler);
  informers.start();
  const lead = (): void => {
    process.spawn(
      'start-scheduling',
      (function* () {
        yield* informers.waitForSync();
        scheduler.run();
      })(),
    );
  };
  if (!config.leaderElect) {
    lead();
    return;
  }
  const elector = new LeaderElector(new Client(new ApiTransport(process, connection)), {
    namespace: 'kube-system',
    name: 'kube-scheduler',
    identity: `${process.host.name}_${process.random.u32().toString(16).padStart(8, '0')}`,
    leaseDurationUs: config.leaseDurationUs,
    renewDeadlineUs: config.renewDeadlineUs,
    retryPeriodUs: config.retryPeriodUs,
    releaseOnCancel: true,
    facts,
    ignoresLoss: options.defects?.has('K6') ?? false,
    onStartedLeading: lead,
    onStoppedLeading: () => process.exit(1, 'leaderelection lost'),
  });
  process.spawn('leader-election', elector.run());
}
