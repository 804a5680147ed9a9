/**
 * Known bugs that the simulator can be given: documented upstream, off by default. The line that prevents the bug reads its switch and
 * says in a comment why the line exists. Ids are those of the museum.
 */
export interface Defect {
  readonly id: string;
  /** Issue, analysis or post-mortem that documents the mechanism. */
  readonly upstream: string;
  readonly sentence: string;
  /** Ids of the properties of which one must catch it. */
  readonly properties: readonly string[];
  /** The scenario that shows it, below scenarios/; null: none was found yet (docs/MUSEUM.md says what was tried). */
  readonly exhibit: string | null;
  /** So many seeds of the exhibit at the most until it is caught. */
  readonly seeds: number;
}

export const DEFECTS = [
  {
    id: 'E1',
    upstream: 'etcd-io/etcd#13766',
    sentence: 'A periodic backend commit may save the consistent index before the changes of its entry, which a crash then loses.',
    properties: ['raft-state-machine-safety'],
    exhibit: 'museum/E1-index-first.yaml',
    seeds: 100,
  },
  {
    id: 'E2',
    upstream: 'etcd-io/etcd#14370',
    sentence: 'A member that is alone answers a write while its log entry is still on the way to the disk.',
    properties: ['durable-writes', 'correct-reads'],
    exhibit: 'museum/E2-answer-before-save.yaml',
    seeds: 20,
  },
  {
    id: 'E3',
    upstream: 'etcd-io/etcd#14685',
    sentence: 'Defragmentation commits changes without their consistent index, so a crash after it applies entries twice.',
    properties: ['raft-state-machine-safety'],
    exhibit: 'museum/E3-defrag-crash.yaml',
    seeds: 60,
  },
  {
    id: 'E4',
    upstream: 'etcd-io/etcd#14571',
    sentence: 'A member that recovered from a snapshot has an empty permission cache: it refuses what others apply.',
    properties: ['raft-state-machine-safety'],
    exhibit: 'museum/E4-snapshot-permissions.yaml',
    seeds: 20,
  },
  {
    id: 'E5',
    upstream: 'etcd-io/etcd#18667',
    sentence: 'Members without the caller leave the reads of a transaction out, and with them the checks that refuse it.',
    properties: ['raft-state-machine-safety'],
    exhibit: 'museum/E5-read-below-compaction.yaml',
    seeds: 20,
  },
  {
    id: 'E6',
    upstream: 'etcd-io/etcd#17780',
    sentence: 'A compaction that removed the newest tombstone and was cut short by a crash lets the revision go back.',
    properties: ['raft-state-machine-safety'],
    exhibit: 'museum/E6-revision-goes-back.yaml',
    seeds: 60,
  },
  {
    id: 'E8',
    upstream: 'etcd-io/etcd#8411',
    sentence: 'Watches of a member that recovers from a snapshot are not told of what the snapshot brought.',
    properties: ['watch-reliable'],
    exhibit: 'museum/E8-snapshot-watchers.yaml',
    seeds: 20,
  },
  {
    id: 'E10',
    upstream: 'etcd-io/etcd#18089',
    sentence: 'Compaction at the revision of a delete drops its tombstone, so a watch from there never hears of it.',
    properties: ['watch-resumable'],
    exhibit: 'museum/E10-lost-tombstone.yaml',
    seeds: 20,
  },
  {
    id: 'E12',
    upstream: 'etcd-io/etcd#20221',
    sentence: 'A watch from a future revision, on a member that lags, is told of revisions before its start.',
    properties: ['watch-bookmarkable', 'watch-filtered'],
    exhibit: 'museum/E12-watch-from-the-future.yaml',
    seeds: 20,
  },
  {
    id: 'E14',
    upstream: 'etcd-io/etcd#11456',
    sentence: 'A client that waited for a lock is not asked again whether its own lease still lives when its turn comes.',
    properties: ['lock-exclusion'],
    exhibit: 'museum/E14-lost-lease-lock.yaml',
    seeds: 20,
  },
  {
    id: 'E15',
    upstream: 'etcd-io/etcd#15247',
    sentence: 'A leader whose loop stood still revokes leases by its own clock, not knowing that others lead and renew them.',
    properties: ['lease-lifetime'],
    exhibit: 'museum/E15-stalled-leader-revokes.yaml',
    seeds: 20,
  },
  {
    id: 'E18',
    upstream: 'etcd-io/etcd#3477',
    sentence: 'Members count for the quorum before they have ever started, so adding some stops the cluster.',
    properties: ['progress-after-heal'],
    exhibit: 'museum/E18-absent-members.yaml',
    seeds: 10,
  },
  {
    id: 'K1',
    upstream: 'kubernetes/kubernetes#59848',
    sentence: 'A restarted kubelet lists its pods from a stale API server cache and runs again what has moved elsewhere.',
    properties: ['pod-identity'],
    exhibit: 'stale-kubelet.yaml',
    seeds: 150,
  },
  {
    id: 'K2',
    upstream: 'kubernetes/kubernetes#56261',
    sentence: 'The scheduler keeps a node whose deletion it learns only from a new list, and binds pods to it for ever.',
    properties: ['eventual-reconciliation'],
    exhibit: 'museum/K2-ghost-node.yaml',
    seeds: 20,
  },
  {
    id: 'K5',
    upstream: 'kubernetes/kubernetes#106361',
    sentence: 'What the scheduler assumed expires after 30 s although the binding succeeded, and the place is given away again.',
    properties: ['node-capacity'],
    exhibit: 'museum/K5-assumed-pod-expires.yaml',
    seeds: 20,
  },
  {
    id: 'K6',
    upstream: 'kubernetes/kubernetes#23731',
    sentence: 'A leader that can no longer renew its lease is never told to stop, so two lead.',
    properties: ['single-leader'],
    exhibit: 'museum/K6-two-leaders.yaml',
    seeds: 20,
  },
  {
    id: 'K7',
    upstream: 'kubernetes/kubernetes#54096',
    sentence: "A new controller manager lists from a lagging API server's cache, misses the pods just made, and makes them again.",
    properties: ['pod-identity'],
    exhibit: 'museum/K7-cold-cache.yaml',
    seeds: 40,
  },
  {
    id: 'K8',
    upstream: 'kubernetes/kubernetes#129795',
    sentence:
      'What a controller waits to see expires after five minutes, and it makes pods again that its cache does not show (still so in 1.35).',
    properties: ['replica-bounds'],
    exhibit: 'museum/K8-expectations-expire.yaml',
    seeds: 20,
  },
  {
    id: 'K10',
    upstream: 'kubernetes/kubernetes#127429',
    sentence: 'The endpoint slice controller compares with a stale copy, finds it equal, skips the write and never tries again.',
    properties: ['eventual-reconciliation', 'service-availability'],
    exhibit: 'rollout-under-partition.yaml',
    seeds: 300,
  },
  {
    id: 'K11',
    upstream: 'kubernetes/kubernetes#82149',
    sentence:
      'On a conflict the disruption controller writes its stale budget again, and takes an eviction back that was granted meanwhile.',
    properties: ['disruption-budget'],
    exhibit: 'museum/K11-stale-budget.yaml',
    seeds: 20,
  },
  {
    id: 'K13',
    upstream: 'kubernetes/kubernetes#105395',
    sentence: 'Replicas that change together with the template are given to the old replica set first (still so in 1.35).',
    properties: ['rollout-order'],
    exhibit: 'museum/K13-scale-before-rollout.yaml',
    seeds: 20,
  },
  {
    id: 'K15',
    upstream: 'kubernetes/kubernetes#24200',
    sentence: 'A control plane that is cut off from every node believes that all nodes have failed, and evicts their pods.',
    properties: ['no-mass-eviction'],
    exhibit: 'museum/K15-evicts-everything.yaml',
    seeds: 20,
  },
  {
    id: 'K19',
    upstream: 'kubernetes/kubernetes#36891',
    sentence: 'A namespace is emptied at once, while a lagging API server still takes new objects for it.',
    properties: ['no-orphans'],
    exhibit: 'museum/K19-orphans.yaml',
    seeds: 20,
  },
  {
    id: 'K21',
    upstream: 'kubernetes/kubernetes#49956',
    sentence: 'A watch cache without events accepts a watch that begins one change too early, and leaves that change out.',
    properties: ['watch-reliable'],
    exhibit: 'museum/K21-empty-window.yaml',
    seeds: 40,
  },
  {
    id: 'K25',
    upstream: 'kubernetes/kubernetes#42649',
    sentence: 'A CronJob that has missed more than a hundred starts never starts a job again.',
    properties: ['eventual-reconciliation'],
    exhibit: 'museum/K25-hundred-missed-starts.yaml',
    seeds: 20,
  },
  {
    id: 'R2',
    upstream: 'logcabin/logcabin#44',
    sentence: 'A leader counts replicas of an entry of an older term as committed (figure 8 of the raft paper).',
    properties: ['raft-leader-completeness'],
    exhibit: 'figure-eight.yaml',
    seeds: 300,
  },
  {
    id: 'R4',
    upstream: 'wenweihu86/raft-java#57',
    sentence: 'Term and vote are not on stable storage before the vote is given, so a restarted member may vote twice in a term.',
    properties: ['raft-election-safety'],
    exhibit: 'leader-churn.yaml',
    seeds: 200,
  },
  {
    id: 'R6',
    upstream: 'async-raft/async-raft#62',
    sentence: 'A joint configuration decides by one majority of all its voters instead of a majority of each half.',
    properties: ['raft-leader-completeness', 'raft-election-safety'],
    exhibit: 'museum/R6-union-majority.yaml',
    seeds: 60,
  },
  {
    id: 'R7',
    upstream: 'etcd-io/etcd#12136',
    sentence: 'The successor of a leader that was deposed in a joint configuration never leaves it.',
    properties: ['progress-after-heal'],
    exhibit: 'museum/R7-joint-for-ever.yaml',
    seeds: 40,
  },
  {
    id: 'R8',
    upstream: 'etcd-io/etcd#10998',
    sentence: 'A learner that has not heard of its promotion refuses the vote that the others need.',
    properties: ['progress-after-heal'],
    exhibit: 'museum/R8-learner-must-vote.yaml',
    seeds: 40,
  },
  {
    id: 'R10',
    upstream: 'etcd-io/etcd#7331',
    sentence: 'A new leader answers linearizable reads before it has committed an entry of its own term.',
    properties: ['correct-reads'],
    exhibit: 'museum/R10-read-before-commit.yaml',
    seeds: 40,
  },
  {
    id: 'R11',
    upstream: 'etcd-io/etcd#20418',
    sentence: 'Late answers to a read request confirm its repetition, and with it other reads, at a leader that has been deposed.',
    properties: ['correct-reads'],
    exhibit: null,
    seeds: 150,
  },
  {
    id: 'R12',
    upstream: 'etcd 0.4.1, Jepsen',
    sentence: 'A leader answers linearizable reads from its own state without asking a quorum whether it still leads.',
    properties: ['correct-reads', 'split-brain-read-only'],
    exhibit: 'split-brain.yaml',
    seeds: 60,
  },
  {
    id: 'R13',
    upstream: 'etcd-io/etcd#1763',
    sentence: 'A snapshot that comes late cuts a log that goes beyond it back, entries that were acknowledged included.',
    properties: ['raft-leader-completeness', 'durable-writes'],
    exhibit: 'museum/R13-late-snapshot.yaml',
    seeds: 80,
  },
  {
    id: 'R15',
    upstream: 'etcd-io/etcd#22442',
    sentence: 'Replaying the log after a snapshot brings back entries that had been overwritten, and their last term wins elections.',
    properties: ['raft-leader-completeness'],
    exhibit: null,
    seeds: 300,
  },
  {
    id: 'R16',
    upstream: 'etcd-io/etcd#8243',
    sentence: 'Pre-votes between members of different terms are dropped, so that nobody can be elected.',
    properties: ['progress-after-heal'],
    exhibit: 'museum/R16-stuck-pre-vote.yaml',
    seeds: 20,
  },
  {
    id: 'R18',
    upstream: 'NATS 2.12.1, Jepsen',
    sentence: 'Writes are acknowledged when they are in the page cache and synced every two minutes only.',
    properties: ['durable-writes'],
    exhibit: 'museum/R18-late-sync.yaml',
    seeds: 20,
  },
  {
    id: 'R20',
    upstream: 'etcd-io/etcd#13527',
    sentence: 'While an fsync hangs the clock of raft stands still, so a leader without followers does not step down (open upstream).',
    properties: ['leader-steps-down'],
    exhibit: 'museum/R20-stalled-leader.yaml',
    seeds: 20,
  },
] as const satisfies readonly Defect[];

export type DefectId = (typeof DEFECTS)[number]['id'];

/** The defects that are on. */
export type DefectSet = ReadonlySet<DefectId>;

export const NO_DEFECTS: DefectSet = new Set();
