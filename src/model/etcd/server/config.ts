import { hashText, mixWord, finalize32 } from '../../../sim/mix.ts';
import { MILLISECOND, MINUTE, type Micros, SECOND } from '../../../sim/time.ts';
import type { MemberId } from '../api.ts';
import type { DefectSet } from '../../defects.ts';
import { NO_DEFECTS } from '../../defects.ts';
import type { Facts } from '../../facts.ts';

/** A member as the first members' configuration lists it (--initial-cluster). */
export interface InitialMember {
  readonly name: string;
  /** `http://address:port`; the address is a host's name in the simulation. */
  readonly peerURL: string;
  /** Overrides the id that is computed from URL and token. */
  readonly id?: MemberId;
}

/**
 * Where a member differs from released etcd, for exhibits of bugs that etcd has not mended yet, or that its protocol does not have.
 * `config-on-append`: a change of members counts from when it is in the log (raft dissertation, section 4.1), not from when it is applied.
 * `removed-cleans-up`: a removed member puts its data away for good, once a majority of the others knows of its removal (as CockroachDB's replicas).
 * `ticks-apart`: raft's clock goes on while the raft loop waits for the disk (what etcd#13527 asks for).
 */
export const ETCD_VARIANTS = ['config-on-append', 'removed-cleans-up', 'ticks-apart'] as const;
export type EtcdVariant = (typeof ETCD_VARIANTS)[number];

/** How to run one member; the defaults are etcd 3.6's flags. */
export interface EtcdConfig {
  readonly name: string;
  readonly peerURL: string;
  readonly clientURL: string;
  readonly initialCluster: readonly InitialMember[];
  /** Members that may be added later: how facts name them before they have made themselves known. */
  readonly spares: readonly InitialMember[];
  /** 'existing': join a running cluster to which this member was added. */
  readonly initialClusterState: 'new' | 'existing';
  readonly clusterToken: string;
  /** Prefix of this member's files on its host's disk. */
  readonly dataDir: string;
  readonly heartbeatUs: Micros;
  readonly electionTicks: number;
  readonly preVote: boolean;
  /** Bytes of entries in one append message; 1 makes every entry a message of its own. */
  readonly appendBytesMax: number;
  readonly snapshotCount: number;
  readonly snapshotCatchUpEntries: number;
  readonly quotaBytes: number;
  readonly txnOpsMax: number;
  readonly requestBytesMax: number;
  readonly strictReconfigCheck: boolean;
  readonly backendBatchIntervalUs: Micros;
  readonly backendBatchLimit: number;
  readonly compactionBatchLimit: number;
  readonly compactionSleepUs: Micros;
  /** A member that has data compares it with its peers before it serves (feature gate InitialCorruptCheck; kubeadm sets it). */
  readonly initialCorruptCheck: boolean;
  /** How often the leader compares all members (--corrupt-check-time); 0: never. */
  readonly corruptCheckUs: Micros;
  /** How often the leader compares what compactions remembered (feature gate CompactHashCheck, then once a minute); 0: never. */
  readonly compactHashCheckUs: Micros;
  /**
   * How often the leader notes down what is left of leases that live longer (feature gate LeaseCheckpoint, then every five minutes), so that
   * the next leader does not begin them anew; 0: never.
   */
  readonly leaseCheckpointIntervalUs: Micros;
  readonly watchProgressIntervalUs: Micros;
  readonly watchResyncUs: Micros;
  /** CPU for applying one entry. */
  readonly applyUs: Micros;
  readonly defects: DefectSet;
  readonly variants: ReadonlySet<EtcdVariant>;
  readonly facts: Facts;
  /** The object behind a stored value, as facts tell it; absent: none. */
  readonly reveal?: (value: unknown) => object | undefined;
  /** Shared by the members of a cluster: the newest revision whose changes have been told as facts. */
  readonly told: { revision: number; compacted: number };
}

/** What must be given; everything else has a default. */
export type EtcdConfigInput = Pick<EtcdConfig, 'name' | 'peerURL' | 'clientURL' | 'initialCluster' | 'facts' | 'told'> &
  Partial<EtcdConfig>;

/** Fills in etcd's defaults. */
export function etcdConfig(input: EtcdConfigInput): EtcdConfig {
  return {
    initialClusterState: 'new',
    spares: [],
    clusterToken: 'etcd-cluster',
    dataDir: `${input.name}/`,
    heartbeatUs: 100 * MILLISECOND,
    electionTicks: 10,
    preVote: true,
    appendBytesMax: 1024 * 1024,
    snapshotCount: 10_000,
    snapshotCatchUpEntries: 5_000,
    quotaBytes: 2 * 1024 ** 3,
    txnOpsMax: 128,
    requestBytesMax: 1.5 * 1024 * 1024,
    strictReconfigCheck: true,
    backendBatchIntervalUs: 100 * MILLISECOND,
    backendBatchLimit: 10_000,
    compactionBatchLimit: 1000,
    compactionSleepUs: 10 * MILLISECOND,
    initialCorruptCheck: false,
    corruptCheckUs: 0,
    compactHashCheckUs: 0,
    leaseCheckpointIntervalUs: 0,
    watchProgressIntervalUs: 10 * MINUTE,
    watchResyncUs: 100 * MILLISECOND,
    // A member applies some 30,000 small puts a second on one core (etcd's own benchmark page, 3.5).
    applyUs: 30,
    defects: NO_DEFECTS,
    variants: new Set(),
    ...input,
  };
}

export function electionTimeoutUs(config: EtcdConfig): Micros {
  return config.heartbeatUs * config.electionTicks;
}

/** Where the segments of the log lie on the host's disk. */
export function walPrefix(config: EtcdConfig): string {
  return `${config.dataDir}wal/`;
}

/** ServerConfig.ReqTimeout: 5 s for queue wait, computation and disk, plus two election timeouts. */
export function requestTimeoutUs(config: EtcdConfig): Micros {
  return 5 * SECOND + 2 * electionTimeoutUs(config);
}

/** minLeaseTTL: one and a half election timeouts, rounded up to seconds. */
export function minLeaseTtlSeconds(config: EtcdConfig): number {
  return Math.ceil((Math.floor((3 * config.electionTicks) / 2) * config.heartbeatUs) / SECOND);
}

/** An id from a member's URLs, the token and, for members added later, the time (membership.computeMemberID): 48 bits, never 0. */
export function computeMemberId(peerURLs: readonly string[], token: string, wallUs: number): MemberId {
  const text = `${[...peerURLs].sort().join(',')}|${token}`;
  let low = hashText(text, 1);
  if (wallUs !== 0) low = finalize32(mixWord(mixWord(low, wallUs), Math.floor(wallUs / 2 ** 32)));
  return (hashText(text, 2) % 65_536) * 2 ** 32 + low + 1;
}

/** Address and port of a URL such as `http://etcd-0:2380`. */
export function parseUrl(url: string): { readonly address: string; readonly port: string } | undefined {
  const match = /^https?:\/\/([^/:]+):(\d+)$/.exec(url);
  return match === null ? undefined : { address: match[1] ?? '', port: match[2] ?? '' };
}

export const ETCD_VERSION = '3.6.6';
/** The cluster version and backend schema of this release. */
export const clusterVersion = '3.6.0';
