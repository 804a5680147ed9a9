import type { ConfigClients, StoreClients, TrafficSpec, TrialCluster } from './trial-input.ts';

/** An integer range, both ends included. Times are milliseconds. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** What may happen: a scenario file after validation, units resolved. From it and a seed the generator makes a TrialInput. */
export interface Scenario {
  readonly name: string;
  readonly about: string;
  /** Path as the user gave it, for messages. */
  readonly file: string;
  readonly cluster: TrialCluster;
  readonly featureGates: { readonly [gate: string]: boolean };
  /** Defects that the scenario switches on by itself (museum exhibits). */
  readonly defects: readonly string[];
  /** Manifest files, resolved against the scenario's folder. */
  readonly apply: readonly string[];
  readonly traffic: readonly TrafficSpec[];
  readonly store: StoreClients | null;
  readonly configs: ConfigClients | null;
  readonly faults: {
    /** How many a trial draws. */
    readonly count: Range;
    /** Kinds to draw from; empty: every kind that the cluster offers something to hit. */
    readonly kinds: readonly string[];
    readonly lastsMs: Range;
    /** Faults that every trial has, with fixed parameters. */
    readonly always: readonly PlannedPattern[];
  };
  readonly operations: readonly PlannedPattern[];
  /** One in so many trials leaves a host outside the liveness core; 0: never. */
  readonly outsideCoreOneIn: number;
  /** Hosts that stay in every trial as the faults left them; then none is drawn. */
  readonly outsideCore: readonly string[];
  readonly chaosFromMs: number;
  readonly chaosMs: Range;
  readonly settleMs: number;
  readonly require: readonly string[];
}

/** A fault or operation that a scenario names itself: parameters fixed, times as ranges. */
export interface PlannedPattern {
  readonly atMs: Range;
  readonly lastsMs: Range | null;
  readonly params: { readonly kind: string; readonly [name: string]: unknown };
}
