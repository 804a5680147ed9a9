import type { ApiObject } from '../api/object.ts';
import type { EventBroadcaster, EventRecorder } from '../client/events.ts';
import type { Informer } from '../client/informer.ts';
import type { InformerFactory } from '../client/informer-factory.ts';
import type { Resource } from '../client/resources.ts';
import type { Client } from '../client/typed-client.ts';
import type { DefectSet } from '../defects.ts';
import type { Facts } from '../facts.ts';
import type { Process } from '../../sim/process.ts';
import type { ControllerManagerConfig } from './config.ts';
import type { PodMetricsSource } from './pod-metrics.ts';

/** What the manager gives to each controller that it starts. */
export class ControllerContext {
  readonly process: Process;
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly events: EventBroadcaster;
  readonly config: ControllerManagerConfig;
  readonly facts: Facts;
  readonly defects: DefectSet;
  /** Where usage of pods comes from; absent: the metrics API. */
  readonly metrics: PodMetricsSource | undefined;

  constructor(parts: {
    readonly process: Process;
    readonly client: Client;
    readonly informers: InformerFactory;
    readonly events: EventBroadcaster;
    readonly config: ControllerManagerConfig;
    readonly facts: Facts;
    readonly defects: DefectSet;
    readonly metrics?: PodMetricsSource;
  }) {
    this.process = parts.process;
    this.client = parts.client;
    this.informers = parts.informers;
    this.events = parts.events;
    this.config = parts.config;
    this.facts = parts.facts;
    this.defects = parts.defects;
    this.metrics = parts.metrics;
  }

  informer<T extends ApiObject>(resource: Resource<T>): Informer<T> {
    return this.informers.informer(resource);
  }

  recorder(component: string): EventRecorder {
    return this.events.recorder({ component });
  }

  /** Runs `then` once these informers hold their first state: real controllers start their workers only then (WaitForNamedCacheSync). */
  whenSynced(informers: readonly Pick<Informer<ApiObject>, 'waitForSync'>[], then: () => void): void {
    this.process.spawn(
      'wait-for-sync',
      (function* () {
        for (const informer of informers) yield* informer.waitForSync();
        then();
      })(),
    );
  }
}

/** One controller: a row of the registry. */
export interface ControllerRow {
  /** As `--controllers` names it: 'deployment-controller'. */
  readonly name: string;
  /** Sets up informers, handlers and workers. Informers start after all controllers were set up. */
  start(context: ControllerContext): void;
}
