const TIMER = 'it goes on by the clock: there is no end to compare';
const GATE = 'it needs feature gates or flags that the whole cluster does not get';
const TIE = 'which of several nodes or pods is picked is open, and the rest follows from it';
const CUT = 'the recording ends before the cluster is quiet';
const LATE = 'what the controller does depends on what has happened by the time it looks: late, it may lawfully do something else';
const MANY = 'the recording leaves most of its many objects out';

/** Recorded scenarios of which a run under faults cannot be judged by the recording's end, and why. All others can. */
export const UNJUDGED: Readonly<Record<string, string>> = {
  'alt-statefulset-max-unavailable': GATE,
  'alt-statefulset-max-unavailable-parallel': GATE,
  'alt-statefulset-max-unavailable-percent': GATE,
  'alt-statefulset-max-unavailable-slow': GATE,
  'cronjob-allow': TIMER,
  'cronjob-deadline': TIMER,
  'cronjob-history': TIMER,
  'cronjob-replace': TIMER,
  'cronjob-suspend': TIMER,
  'cronjob-timezone': TIMER,
  'daemonset-node-label': TIE,
  'daemonset-taint-noexecute': TIE,
  'deployment-quota-roll': 'after many refusals the next try is minutes away',
  'drain-blocked': TIE,
  'endpointslice-120': MANY,
  'events-aggregation': MANY,
  'hpa-up-policy': CUT,
  'job-backoff-per-index': CUT,
  'job-delete-orphan': CUT,
  'job-pfp-count': CUT,
  'job-pfp-ignore': CUT,
  'job-pod-deleted': LATE,
  'job-success-policy': LATE,
  'job-suspend-deadline': LATE,
  'leader-restart': 'it counts changes of leaders, of which faults make more',
  leases: 'it counts changes of leaders, of which faults make more',
  'node-unreachable-statefulset': TIE,
  'pdb-pending': CUT,
  'pv-prebound-claim': CUT,
  'replicaset-burst': MANY,
  'replicaset-rank-node': TIE,
  'replicaset-rank-unassigned': CUT,
};
