import type { NodePool } from '../model/node-pools.ts';
import type { FaultParams } from '../faults/fault.ts';
import type { DefectId } from '../model/defects.ts';
import type { EtcdVariant } from '../model/etcd/server/config.ts';
import type { UntypedObject } from '../model/api/object.ts';
import type { TiePolicy } from '../sim/schedule.ts';

/** Version of the trial file's format. Raised when an old file would be read wrongly. */
export const TRIAL_FORMAT_VERSION = 1;

/**
 * One trial as plain data: everything that decides what happens. The trial file holds it whole, so it replays after the generators
 * have changed; a seed is only a short way to make one. Times are integer milliseconds since the trial's start.
 */
export interface TrialInput {
  readonly formatVersion: typeof TRIAL_FORMAT_VERSION;
  readonly scenario: string;
  /** The seed as the user typed it; it also keys the random streams of the run. */
  readonly seed: string;
  readonly versions: { readonly seatrial: string; readonly kubernetes: string; readonly etcd: string };
  readonly cluster: TrialCluster;
  readonly featureGates: { readonly [gate: string]: boolean };
  readonly defects: readonly DefectId[];
  readonly manifests: readonly Manifest[];
  readonly workload: Workload;
  /** What the swarm drew for the whole trial. */
  readonly swarm: { readonly tiePolicy: TiePolicy };
  readonly timing: TrialTiming;
  readonly faults: readonly PlannedFault[];
  readonly operations: readonly PlannedFault[];
  /** Hosts that stay as the faults left them when all else heals. */
  readonly core: { readonly outside: readonly string[] };
  /** Ids of the properties that must be exercised and may not give up; all properties are judged. */
  readonly require: readonly string[];
}

/** The cluster's shape. `kubernetes: false` is a bare etcd cluster with its clients, for the consensus suites. */
export interface TrialCluster {
  readonly preset: string;
  readonly kubernetes: boolean;
  readonly controlPlanes: number;
  readonly workers: number;
  readonly zones: number;
  /** Where etcd runs: with each API server (absent), or on hosts of its own. */
  readonly etcd?: 'stacked' | 'external';
  /** Members of an external etcd; absent: 3. */
  readonly etcdMembers?: number;
  /** Container runtime of the nodes; absent: containerd. */
  readonly runtime?: string;
  /** Workers of several sorts; together they are `workers`. */
  readonly pools?: readonly NodePool[];
  /** A metrics-server runs beside the cluster; absent: none. */
  readonly metricsServer?: boolean;
  /** The machines are a cloud's, whose controller manager runs beside the cluster; absent: they are not. */
  readonly cloud?: boolean;
  /** Bytes of entries that one append message of etcd's raft carries at the most; absent: etcd's 1 MiB. 1: every entry travels alone. */
  readonly etcdAppendBytesMax?: number;
  /** Entries after which an etcd member makes a snapshot; a tenth of it stays for members that lag. Absent: etcd's defaults. */
  readonly etcdSnapshotCount?: number;
  /** So many of the control planes, the last ones, hold no etcd member until an operator adds it. */
  readonly etcdSpares?: number;
  /** Where etcd's members differ from released etcd; absent: nowhere. */
  readonly etcdVariants?: readonly EtcdVariant[];
  /** Rows that an etcd member compacts at a time; absent: etcd's 1,000. */
  readonly etcdCompactionBatch?: number;
}

/** One document that users apply. */
export interface Manifest {
  /** `file.yaml:12`: where the document begins. */
  readonly source: string;
  readonly object: UntypedObject;
}

/** What users do all the time, beside the plan's operations. */
export interface Workload {
  /** Clients of Services. */
  readonly traffic: readonly TrafficSpec[];
  /** Clients that read and write etcd keys directly. */
  readonly store: StoreClients | null;
  /** Programs outside the cluster that write and watch objects; absent: none. */
  readonly configs?: ConfigClients;
}

/** Programs that write and watch ConfigMaps, each through an API server of its own. */
export interface ConfigClients {
  readonly namespace: string;
  readonly writers: number;
  readonly watchers: number;
  /** Objects that each writer creates a second. */
  readonly perSecond: number;
}

/** A client that calls a Service all the time. */
export interface TrafficSpec {
  /** `namespace/service`. */
  readonly to: string;
  readonly port: number;
  readonly perSecond: number;
  readonly timeoutMs: number;
}

/** Clients of etcd itself. */
export interface StoreClients {
  readonly clients: number;
  readonly keys: number;
  /** Operations of each client a second. */
  readonly perSecond: number;
  /** Watches that the clients hold open together. */
  readonly watches: number;
  /** Watchers give their watch up now and then and take it up again, after a pause, behind the last event that they saw. */
  readonly rewatch?: boolean;
  /** Some operations are transactions that read an old revision and write. */
  readonly oldReads?: boolean;
  /** Members that the clients (`clientsAt`) and the readers (`readersAt`) stick to, in turn; absent: all first members. */
  readonly clientsAt?: readonly string[];
  readonly readersAt?: readonly string[];
  /** So many further clients only read, linearizably and with little patience. */
  readonly readers?: number;
  /** Clients log in once the store asks for it. */
  readonly logIn?: boolean;
  /** Further clients that take one lock in turn, under leases that they sometimes fail to renew. */
  readonly locks?: number;
  /** Further clients that keep a lease of their own alive. */
  readonly leases?: number;
}

/** The phases of a trial, in virtual milliseconds from its start. */
export interface TrialTiming {
  /** Manifests are applied. */
  readonly applyAtMs: number;
  /** Chaos begins: no fault earlier. */
  readonly chaosFromMs: number;
  /** All faults heal, users stop. */
  readonly healAtMs: number;
  /** Virtual time that the cluster is given to reach the desired state and be quiet. */
  readonly settleMs: number;
}

/** A fault or an operation of the plan. */
export interface PlannedFault {
  /** F1, F2, … for faults, O1, O2, … for operations: stable under shrinking. */
  readonly id: string;
  readonly atMs: number;
  /** How long it lasts; null: until the general healing. */
  readonly forMs: number | null;
  readonly params: FaultParams;
}
