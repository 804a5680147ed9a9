import type { Violation } from '../harness/trial-result.ts';
import { sentenceCase } from './fact-words.ts';
import { findProperty } from '../properties/registry.ts';

/** How a broken clause is told. */
export interface ClauseWords {
  /** The story in one line, without a full stop. */
  readonly title: string;
  /** Why what happened may not happen: follows "because". */
  readonly because: string;
}

type Row = readonly [title: string, because: string];

/** Every clause of every property; `{0}`, `{1}` are the witness's subjects. A test holds the table against the registry. */
const CLAUSES: Readonly<Record<string, Row>> = {
  'correct-reads/linearizable-is-fresh': [
    '{1} answered a read from the past',
    'a linearizable read must see every write that was acknowledged before it began',
  ],
  'correct-reads/linearizable-is-true': [
    '{1} answered a read with what the store never held then',
    'a read must return what the store holds at the revision that the answer names',
  ],
  'correct-reads/serializable-is-committed': [
    '{1} answered a read with something that was never committed',
    'even a read of old state must return a state that the store once had',
  ],
  'disruption-budget/enough-left': [
    'Evictions took {0} below its budget',
    'a budget is charged for every eviction, and none may be granted that it does not hold',
  ],
  'durable-writes/api-write-is-committed': [
    'An acknowledged change of an object is missing',
    'an API server answers only after etcd has committed, and what is committed stays',
  ],
  'durable-writes/acknowledged-is-committed': [
    'A promised write is gone',
    'an acknowledged write has to be on a majority, where no crash and no election can lose it',
  ],
  'eventual-reconciliation/replicas': [
    '{0} never got the pods that it asked for',
    'with every fault healed and room on the nodes nothing hinders the controllers',
  ],
  'eventual-reconciliation/status': [
    'The status of {0} stayed wrong',
    'a controller that sees its pods has to write what they are, sooner or later',
  ],
  'eventual-reconciliation/endpoints': [
    'The endpoints of {0} stayed wrong',
    'the endpoints have to become equal to the ready pods that the selector matches',
  ],
  'eventual-reconciliation/proxies': [
    '{0} kept routing to the wrong pods',
    'every kube-proxy watches the endpoints and has to follow them',
  ],
  'eventual-reconciliation/cronjobs': [
    '{0} made no jobs any more',
    'a schedule that was missed for a while goes on with the next time that it names',
  ],
  'eventual-reconciliation/nodes': [
    '{0} did not come back',
    'a node whose kubelet runs and reaches an API server has to become Ready, and what is called running has to run',
  ],
  'lease-ends/abandoned-lease-ends': [
    'A lease that {0} had abandoned would not end',
    'who relies on leases to notice the dead waits for as long as leaders change',
  ],
  'lease-lifetime/renewed-lease-lives': [
    'A lease that {0} had renewed expired at once',
    'who is told that its lease lives on relies on it; a leader that has slept may not act on what it remembers',
  ],
  'leader-steps-down/replaced-leader-steps-down': [
    '{0} went on to lead beside {1}',
    'a leader that no majority follows has to notice within an election time-out or two, whatever its disk does',
  ],
  'lock-exclusion/granted-place-exists': [
    '{0} was given a lock that it had lost',
    'whoever waited must look again, when its turn comes, whether its lease and its key still live',
  ],
  'member-agreement/same-keys': [
    '{0} and {1} hold different keys at one revision',
    'the same entries applied in the same order lead to the same keys',
  ],
  'member-agreement/same-history': [
    '{0} and {1} remember different histories',
    'what is compacted away and what stays follows from the entries, and those are the same',
  ],
  'member-agreement/same-members': [
    '{0} and {1} list different members',
    'who belongs to the cluster is decided by entries of the log, and a member that is gone must not come back',
  ],
  'healthy-node-kept/not-deleted': [
    '{0} was thrown out although nothing was wrong with it',
    'a cloud that does not know of a machine yet has not said that it is gone',
  ],
  'no-mass-eviction/all-silent': [
    '{1} was evicted because all nodes were silent',
    'when nobody answers, the one who asks is more likely cut off than everybody else dead',
  ],
  'no-orphans/namespace-exists': [
    '{0} was left behind by its namespace',
    'a namespace may go only when nobody can put anything into it any more',
  ],
  'node-capacity/bound': [
    '{0} was given more pods than fit',
    'a scheduler has to count what it has bound itself, also before it sees it in its watch',
  ],
  'node-capacity/cpu': [
    '{0} took more than its processors can do',
    'a kubelet admits a pod only if its requests still fit, whatever schedulers believed',
  ],
  'leader-served/lease-kept-under-load': [
    'A flood of requests took a leader its lease',
    'priority and fairness keeps seats of an API server for leader elections, however many requests of others wait',
  ],
  'node-capacity/memory': [
    '{0} took more than its memory holds',
    'a kubelet admits a pod only if its requests still fit, whatever schedulers believed',
  ],
  'node-capacity/pods': ['{0} took more pods than it may', 'a kubelet admits a pod only below its limit, whatever schedulers believed'],
  'load-balancers-follow/has-its-address': [
    '{0} was left without the address that its clients need',
    'a controller that died half-way has to find out, when it starts again, what it owes to whom',
  ],
  'load-balancers-follow/none-left': [
    'A load balancer outlived its Service',
    'what costs money outside of the cluster needs a finalizer, set before it is ordered',
  ],
  'pods-get-nodes/no-pod-waits': [
    '{0} waits for a node that nobody orders',
    'an autoscaler has to look at all pods that find no place again and again, not only when one is new',
  ],
  'pod-identity/one-uid-per-name': [
    'Two pods of one name ran at the same time',
    'a name is given again only when the pod before has surely stopped: a database with two first members destroys its data',
  ],
  'pod-identity/one-node-per-pod': ['One pod ran on two nodes', 'a pod is bound once and never moves: another node may only get a new pod'],
  'pod-identity/one-daemon-per-node': [
    '{0} runs two pods of one DaemonSet',
    "a DaemonSet means one pod on each node, and two of them stand in each other's way",
  ],
  'pod-identity/one-instance-per-container': [
    'A container ran twice in one pod',
    'a kubelet starts a container again only after the one before has ended',
  ],
  'progress-after-heal/leader-exists': [
    'Nobody leads although everything is healed',
    'with a majority up and connected an election has to succeed within seconds',
  ],
  'progress-after-heal/change-of-members-ends': [
    'The store never finished its change of members',
    'whoever leads must leave a joint configuration, or the members on their way out stay indispensable',
  ],
  'progress-after-heal/commits': [
    'The store stands still although everything is healed',
    'a leader with a majority has to commit what clients ask for',
  ],
  'quiescence/no-writes-when-done': [
    'The cluster never came to rest',
    'controllers that have reached the desired state have nothing left to write',
  ],
  'raft-election-safety/one-leader-per-term': [
    'Two members led the same term',
    'a leader needs the votes of a majority, and two majorities share a member that would have voted twice',
  ],
  'raft-election-safety/one-vote-per-term': [
    '{0} voted twice in one term',
    'a vote has to be on disk before it is given, so that a restart cannot forget it; two votes let two members lead one term',
  ],
  'raft-leader-append-only/leader-never-truncates': [
    '{0} took back entries while it led',
    'a leader only appends: what it stored may be committed already',
  ],
  'raft-leader-completeness/leader-holds-committed': [
    '{1} was elected without a committed entry',
    'a committed entry is on a majority, and a member of that majority refuses its vote to a shorter log',
  ],
  'raft-leader-completeness/committed-stays': [
    'A committed entry was replaced',
    'what was committed once stays for ever: clients have been told',
  ],
  'raft-log-matching/same-entry': [
    '{0} and {1} hold different entries at one place',
    'one leader makes one entry for an index and term, and only one leads a term',
  ],
  'raft-log-matching/same-predecessor': [
    '{0} and {1} agree on an entry but not on what comes before',
    'a follower takes an entry only if the one before it is the leader’s',
  ],
  'raft-state-machine-safety/same-entry': [
    '{0} and {1} applied different entries at one index',
    'the members are one store only if they apply the same entries in the same order',
  ],
  'raft-state-machine-safety/same-revision': [
    'After the same entry {0} and {1} count differently',
    'the same entries applied in the same order lead to the same revision',
  ],
  'raft-state-machine-safety/same-content': [
    '{0} and {1} hold different data at one revision',
    'the same entries applied in the same order lead to the same data',
  ],
  'readiness-kept/still-ready': [
    'The restart of the kubelet of {0} took {1} out of service',
    'a kubelet that comes back has to believe what it said itself, until it has looked again',
  ],
  'rollout-availability/nothing-lost': [
    'A rollout cost {0} a request to {1}',
    'pods that are on their way out serve until the load balancer has noticed',
  ],
  'rollout-bounds/autoscaled': ['{0} was scaled up without need', 'an autoscaler that finds its target met has nothing to change'],
  'rollout-bounds/surge': [
    '{0} asked for too many pods',
    'a rolling update may never exceed replicas + maxSurge: quota and nodes are planned for that',
  ],
  'rollout-bounds/unavailable': [
    '{0} gave up too many pods',
    'a rolling update may never go below replicas − maxUnavailable: the rest could not carry the load',
  ],
  'replica-bounds/no-extra-pods': [
    '{0} got more pods than it asks for',
    'a controller has to know which pods it has made before it makes more',
  ],
  'rollout-order/no-new-old-pods': [
    '{1} grew although {0} replaces it',
    'new pods of a version that is on its way out are of no use to anybody',
  ],
  'single-leader/loser-stops': [
    '{0} went on leading after {1} had taken over',
    'who cannot renew its lease has to stop before others may take it',
  ],
  'service-availability/ready-backend-answers': [
    'A request failed without any reason left',
    'a backend had been ready for long, and no fault was in effect',
  ],
  'split-brain-read-only/no-write-without-quorum': [
    '{1} promised a write that it could not keep',
    'a write may be acknowledged only when a majority has stored it, and {1} could reach none during the whole operation',
  ],
  'split-brain-read-only/no-linearizable-read-without-quorum': [
    '{1} answered as if it still led',
    'before such a read a leader has to ask a majority whether it still leads (ReadIndex), and {1} could reach none during the whole operation',
  ],
  'split-brain-read-only/nothing-changes-without-quorum': [
    '{0} promised a change that nobody could store',
    'without a majority no etcd member can commit, so no API server may acknowledge',
  ],
  'split-brain-read-only/pods-keep-running': [
    '{0} stopped pods because nobody answered',
    'a node without its control plane keeps what runs: users must not notice',
  ],
  'watch-atomic/one-response': [
    'A watch told one revision in two parts',
    'a client that acts on the first part sees a state that the store never had',
  ],
  'watch-atomic/whole-revision': [
    'A watch told a part of a revision only',
    'a client that applies the response ends with a state that the store never had',
  ],
  'watch-bookmarkable/nothing-owed': [
    'A watch was called up to date but was not',
    'a client that resumes behind a notification never hears of what was owed before it',
  ],
  'watch-bookmarkable/nothing-after': [
    'A watch told of the past after it had been called up to date',
    'a notification promises that everything up to its revision has come',
  ],
  'watch-bookmarkable/not-before-start': [
    'A watch was told of a revision before its beginning',
    'the client has seen more than that already, and would believe that the store went back',
  ],
  'watch-filtered/in-range': ['A watch told of a key that nobody asked for', 'a client acts on every event that comes'],
  'watch-filtered/wanted-kind': ['A watch told of what it filters out', 'a client acts on every event that comes'],
  'watch-filtered/from-start': [
    'A watch told of the past',
    'the client has seen that already, and would put an old state in the place of a newer one',
  ],
  'watch-ordered/revisions-do-not-go-back': [
    'A watch went back in time',
    'a client that applies events in the order of arrival would end with an old state',
  ],
  'watch-reliable/no-gap': ['A watch left out a change', 'a client that never hears of a change believes for ever in the old state'],
  'watch-resumable/no-gap-after-resume': [
    'A watch that was taken up again had a gap',
    'a resumed watch has to deliver what came meanwhile, or to say that it cannot',
  ],
  'workload-reconciliation/statefulset': [
    'StatefulSet {0} never got its pods',
    'its controller makes the pod of the first ordinal that is missing, and waits for nothing else',
  ],
  'workload-reconciliation/daemonset': [
    'DaemonSet {0} does not run once on each node',
    'its controller looks at every node and makes or deletes what is missing or too many there',
  ],
  'workload-reconciliation/job': [
    'Job {0} never came to its end',
    'its controller counts what has finished once and only once, and goes on until the count is reached or given up',
  ],
  'workload-reconciliation/autoscaler': [
    'Autoscaler {0} stopped short of its target',
    'an autoscaler asks again every quarter of a minute until the target or a bound is reached',
  ],
  'workload-reconciliation/preemption': [
    'A pod waits for places that lesser pods hold',
    'a scheduler that finds no place looks for pods of lower priority whose end would make one',
  ],
  'watch-unique/no-event-twice': ['A watch told the same change twice', 'a client counts and acts on each event once'],
};

/** How a violation is told; a clause without a row is told by what its property demands. */
export function sayClause(violation: Violation): ClauseWords {
  const { property, witness } = violation;
  const row = CLAUSES[`${property}/${witness.clause}`];
  const clause = findProperty(property)?.clauses.find((candidate) => candidate.id === witness.clause);
  const must = clause?.must ?? 'the property demands it';
  const [title, because] = row ?? [
    witness.sentence.replace(/\.$/, ''),
    `${must.charAt(0).toLowerCase()}${must.slice(1).replace(/\.$/, '')}`,
  ];
  const fill = (text: string): string => text.replace(/\{(\d)\}/g, (_, at) => witness.subjects[Number(at)] ?? 'somebody');
  return { title: sentenceCase(fill(title)), because: fill(because) };
}

/** Clauses that have words of their own. */
export function saidClauses(): readonly string[] {
  return Object.keys(CLAUSES);
}
