/**
 * What truly happened, as typed channels with scalar arguments: the one vocabulary that properties, coverage and reports read.
 * Programs emit, nothing inside the simulated cluster listens. With no listener an emit costs next to nothing.
 * Names of members, nodes and clients are those of the cluster (`etcd-0`, `worker-1`); `key` of a namespaced object is `namespace/name`.
 */

export type FactValue = string | number | boolean | object | undefined;

/** One kind of fact. */
export class FactChannel<A extends readonly FactValue[]> {
  readonly name: string;
  /** Names of the arguments, for reports. */
  readonly fields: readonly string[];
  #listeners: readonly ((...args: A) => void)[] = [];

  constructor(name: string, fields: readonly string[]) {
    this.name = name;
    this.fields = fields;
    this.emit = this.#teller() as (...args: A) => void;
  }

  /** True when anybody listens: guards the computing of costly arguments. */
  get on(): boolean {
    return this.#listeners.length > 0;
  }

  /** Tells all listeners. */
  readonly emit: (...args: A) => void;

  /** One function a number of arguments: collecting them into an array and spreading it again costs more than most listeners do. */
  #teller(): Listener {
    // Read through `this` at every fact: listeners may come later.
    switch (this.fields.length) {
      case 1:
        return (a) => {
          const listeners = this.#listeners as unknown as readonly Listener[];
          for (let i = 0; i < listeners.length; i++) (listeners[i] as Listener)(a);
        };
      case 2:
        return (a, b) => {
          const listeners = this.#listeners as unknown as readonly Listener[];
          for (let i = 0; i < listeners.length; i++) (listeners[i] as Listener)(a, b);
        };
      case 3:
        return (a, b, c) => {
          const listeners = this.#listeners as unknown as readonly Listener[];
          for (let i = 0; i < listeners.length; i++) (listeners[i] as Listener)(a, b, c);
        };
      case 4:
        return (a, b, c, d) => {
          const listeners = this.#listeners as unknown as readonly Listener[];
          for (let i = 0; i < listeners.length; i++) (listeners[i] as Listener)(a, b, c, d);
        };
      case 5:
        return (a, b, c, d, e) => {
          const listeners = this.#listeners as unknown as readonly Listener[];
          for (let i = 0; i < listeners.length; i++) (listeners[i] as Listener)(a, b, c, d, e);
        };
      case 6:
        return (a, b, c, d, e, f) => {
          const listeners = this.#listeners as unknown as readonly Listener[];
          for (let i = 0; i < listeners.length; i++) (listeners[i] as Listener)(a, b, c, d, e, f);
        };
      default:
        return (...args) => {
          for (const listener of this.#listeners as unknown as readonly Listener[]) listener(...args);
        };
    }
  }

  /** Listens to every fact of this kind from now on, in the order of subscription. */
  subscribe(listener: (...args: A) => void): void {
    this.#listeners = [...this.#listeners, listener];
  }
}

type Listener = (...args: readonly FactValue[]) => void;

function channel<A extends readonly FactValue[]>(name: string, ...fields: string[]): FactChannel<A> {
  return new FactChannel<A>(name, fields);
}

/** Makes the channels of one trial. */
export function createFacts() {
  return {
    // --- raft, per etcd member -----------------------------------------------------------------------------------------------
    /** role: follower, pre-candidate, candidate, leader, learner. */
    raftRole: channel<[member: string, role: string, term: number, leader: string]>('raftRole', 'member', 'role', 'term', 'leader'),
    /** The vote is on stable storage or (with defect R4) at least given. */
    raftVote: channel<[member: string, term: number, candidate: string]>('raftVote', 'member', 'term', 'candidate'),
    raftLeader: channel<[member: string, term: number, lastIndex: number, lastTerm: number]>(
      'raftLeader',
      'member',
      'term',
      'lastIndex',
      'lastTerm',
    ),
    /** An entry was put into the member's log (in memory). `hash` identifies the entry's content. */
    raftAppend: channel<[member: string, index: number, term: number, hash: number]>('raftAppend', 'member', 'index', 'term', 'hash'),
    /** The log from `fromIndex` on was replaced. */
    raftTruncate: channel<[member: string, fromIndex: number]>('raftTruncate', 'member', 'fromIndex'),
    raftCommit: channel<[member: string, commit: number, term: number]>('raftCommit', 'member', 'commit', 'term'),
    /** The entry was applied to the member's store; `revision` after it. */
    raftApply: channel<[member: string, index: number, term: number, hash: number, revision: number]>(
      'raftApply',
      'member',
      'index',
      'term',
      'hash',
      'revision',
    ),
    raftSnapshot: channel<[member: string, index: number, term: number, revision: number]>(
      'raftSnapshot',
      'member',
      'index',
      'term',
      'revision',
    ),
    /** The member has put a snapshot of its own on disk: from now on it starts from there. */
    raftSnapshotSaved: channel<[member: string, index: number, term: number]>('raftSnapshotSaved', 'member', 'index', 'term'),
    /**
     * The member goes by another configuration from the entry at `index` on: names of voters, of the voters of the half that a joint configuration
     * leaves, and of learners, each joined by commas and sorted.
     */
    raftConfig: channel<[member: string, index: number, voters: string, outgoing: string, learners: string]>(
      'raftConfig',
      'member',
      'index',
      'voters',
      'outgoing',
      'learners',
    ),
    /** The member lost its memory; `durableIndex` is the last log index it comes back with, once started. */
    memberStart: channel<[member: string, lastIndex: number, appliedIndex: number, revision: number]>(
      'memberStart',
      'member',
      'lastIndex',
      'appliedIndex',
      'revision',
    ),
    /** After memberStart: an entry that the disk held beyond what it knew as committed. What was replaced in memory and never synced is back. */
    raftRecovered: channel<[member: string, index: number, term: number, hash: number]>('raftRecovered', 'member', 'index', 'term', 'hash'),
    /** The cluster has a cloud that offers this ('load-balancers'). */
    cloudServes: channel<[what: string]>('cloudServes', 'what'),
    /** The cloud has made a load balancer of that name (`a` and the uid of its Service), or has taken it away (no address). */
    loadBalancer: channel<[name: string, address: string]>('loadBalancer', 'name', 'address'),
    /** The cloud's node group has so many machines, running or ordered; what one of them can hold; `open`: Linux, and any pod may go there. */
    nodeGroup: channel<[group: string, machines: number, max: number, cpuMilli: number, memoryBytes: number, open: boolean]>(
      'nodeGroup',
      'group',
      'machines',
      'max',
      'cpuMilli',
      'memoryBytes',
      'open',
    ),
    /** Hash of all changes up to a revision, and of the keys that exist then, as the member holds them. */
    storeHash: channel<[member: string, revision: number, hash: number, keys: number]>('storeHash', 'member', 'revision', 'hash', 'keys'),
    /** What a member answers to HashKV: its rows up to a revision, less what compaction has taken. Told where it is computed anyway. */
    historyHash: channel<[member: string, revision: number, compactRevision: number, hash: number]>(
      'historyHash',
      'member',
      'revision',
      'compactRevision',
      'hash',
    ),
    /**
     * Whom the member lists after this entry: ids, roles and peer addresses as one text. `changed`: the entry was a membership change which
     * the member has just applied; otherwise it is what a restart or a snapshot left it with.
     */
    memberList: channel<[member: string, index: number, members: string, changed: boolean]>(
      'memberList',
      'member',
      'index',
      'members',
      'changed',
    ),
    /** A client of the lock recipe was told that it holds the lock, by the key that stands for its place. */
    lockGranted: channel<[client: string, key: string, createRevision: number]>('lockGranted', 'client', 'key', 'createRevision'),
    /** The store told a client that it granted or renewed a lease for so long, at some moment since the client had asked. */
    leaseKept: channel<[client: string, lease: string, ttlSeconds: number, askedAtUs: number]>(
      'leaseKept',
      'client',
      'lease',
      'ttlSeconds',
      'askedAtUs',
    ),
    /** reason: expired (the leader's own doing) or revoked (a client asked). */
    leaseRevoked: channel<[member: string, lease: string, reason: string]>('leaseRevoked', 'member', 'lease', 'reason'),

    // --- etcd clients (consensus suites, API servers) ------------------------------------------------------------------------
    /** kind: put, delete, txn, range-linearizable, range-serializable. `op` is unique. `value` is the written content's hash, or 0. */
    opInvoked: channel<[op: number, client: string, member: string, kind: string, key: string, value: number]>(
      'opInvoked',
      'op',
      'client',
      'member',
      'kind',
      'key',
      'value',
    ),
    /** outcome: ok, failed (surely not applied), unknown. `modRevision` and `value` are of the key read (0: absent). */
    opAnswered: channel<[op: number, outcome: string, revision: number, modRevision: number, value: number]>(
      'opAnswered',
      'op',
      'outcome',
      'revision',
      'modRevision',
      'value',
    ),
    /** A committed change of one key, told once per revision and key by the first member that applies it. type: PUT or DELETE. */
    keyChanged: channel<[revision: number, sub: number, key: string, type: string, value: number]>(
      'keyChanged',
      'revision',
      'sub',
      'key',
      'type',
      'value',
    ),
    /**
     * The same change with the stored object itself, by reference (undefined: deleted). The one channel whose argument is not a scalar:
     * bounds on rollouts and nodes are judged on the objects' committed history, which nothing smaller can carry.
     */
    objectChanged: channel<[revision: number, key: string, object: object | undefined]>('objectChanged', 'revision', 'key', 'object'),
    storeCompacted: channel<[revision: number]>('storeCompacted', 'revision'),
    /** `filters`: the kinds of changes that the watch does not want, NOPUT or NODELETE, joined by commas. */
    watchOpened: channel<
      [watch: number, client: string, member: string, key: string, rangeEnd: string, fromRevision: number, filters: string]
    >('watchOpened', 'watch', 'client', 'member', 'key', 'rangeEnd', 'fromRevision', 'filters'),
    /** Resumed on another member or after a break, from this revision on, as the client asked. */
    watchResumed: channel<[watch: number, member: string, fromRevision: number]>('watchResumed', 'watch', 'member', 'fromRevision'),
    watchEvent: channel<[watch: number, revision: number, sub: number, key: string, type: string, value: number]>(
      'watchEvent',
      'watch',
      'revision',
      'sub',
      'key',
      'type',
      'value',
    ),
    /** The events told since the last such fact came in one response (of which fragments are parts) with this header revision. */
    watchResponse: channel<[watch: number, revision: number, events: number]>('watchResponse', 'watch', 'revision', 'events'),
    /** Everything up to and including the revision has been delivered. */
    watchProgress: channel<[watch: number, revision: number]>('watchProgress', 'watch', 'revision'),
    watchClosed: channel<[watch: number, reason: string, compactRevision: number]>('watchClosed', 'watch', 'reason', 'compactRevision'),

    // --- API servers ---------------------------------------------------------------------------------------------------------
    /** A write that the API server acknowledged to its client with 2xx. */
    apiWrite: channel<[server: string, user: string, verb: string, resource: string, key: string, resourceVersion: number]>(
      'apiWrite',
      'server',
      'user',
      'verb',
      'resource',
      'key',
      'resourceVersion',
    ),
    /** A request that ended with a failure (code >= 500, or nobody to answer). */
    apiFailure: channel<[server: string, user: string, verb: string, resource: string, key: string, code: number]>(
      'apiFailure',
      'server',
      'user',
      'verb',
      'resource',
      'key',
      'code',
    ),

    // --- users' operations (kubectl-like) ------------------------------------------------------------------------------------
    userOperation: channel<[op: number, user: string, what: string]>('userOperation', 'op', 'user', 'what'),
    userAnswer: channel<[op: number, outcome: string, detail: string]>('userAnswer', 'op', 'outcome', 'detail'),

    // --- control loops -------------------------------------------------------------------------------------------------------
    /** This process believes to hold the lease from now on (false: no longer). */
    leading: channel<[lease: string, identity: string, holds: boolean]>('leading', 'lease', 'identity', 'holds'),
    podBound: channel<[pod: string, uid: string, node: string]>('podBound', 'pod', 'uid', 'node'),
    podEvicted: channel<[pod: string, uid: string, node: string, reason: string]>('podEvicted', 'pod', 'uid', 'node', 'reason'),
    nodeCondition: channel<[node: string, ready: string]>('nodeCondition', 'node', 'ready'),

    // --- nodes ---------------------------------------------------------------------------------------------------------------
    containerStarted: channel<[node: string, pod: string, uid: string, container: string, instance: string, image: string]>(
      'containerStarted',
      'node',
      'pod',
      'uid',
      'container',
      'instance',
      'image',
    ),
    /** However it ended: exit, kill, host down. */
    containerStopped: channel<[node: string, pod: string, uid: string, container: string, instance: string, exitCode: number]>(
      'containerStopped',
      'node',
      'pod',
      'uid',
      'container',
      'instance',
      'exitCode',
    ),
    /** The pod's readiness as its kubelet knows it (not as the API server stores it). */
    podReady: channel<[node: string, pod: string, uid: string, ready: boolean]>('podReady', 'node', 'pod', 'uid', 'ready'),
    /** The kubelet admitted the pod, using this much of the node (millicores, bytes). */
    podAdmitted: channel<[node: string, pod: string, uid: string, cpuMilli: number, memoryBytes: number]>(
      'podAdmitted',
      'node',
      'pod',
      'uid',
      'cpuMilli',
      'memoryBytes',
    ),
    podRemoved: channel<[node: string, pod: string, uid: string]>('podRemoved', 'node', 'pod', 'uid'),
    /** What a node can hold, told once it registers. */
    nodeCapacity: channel<[node: string, cpuMilli: number, memoryBytes: number, pods: number]>(
      'nodeCapacity',
      'node',
      'cpuMilli',
      'memoryBytes',
      'pods',
    ),

    // --- services ------------------------------------------------------------------------------------------------------------
    /** kube-proxy of a node has programmed this set of backends (`ip:port` joined by commas, sorted) for a service port. */
    endpointsProgrammed: channel<[node: string, service: string, port: string, backends: string]>(
      'endpointsProgrammed',
      'node',
      'service',
      'port',
      'backends',
    ),
    requestSent: channel<[request: number, client: string, service: string]>('requestSent', 'request', 'client', 'service'),
    /** outcome: ok, refused, timeout, reset, no-backend, error. */
    requestAnswered: channel<[request: number, outcome: string, pod: string]>('requestAnswered', 'request', 'outcome', 'pod'),

    // --- reachability, as the physical world has it (told by the harness at every fault and healing) ----------------------------
    /** The member can reach a majority of the voters, and they it, right now. */
    memberQuorum: channel<[member: string, has: boolean]>('memberQuorum', 'member', 'has'),
    /** Two members that run can reach each other from now on: what one of them has on its disk counts for the other again. */
    membersMet: channel<[member: string, other: string]>('membersMet', 'member', 'other'),
    /** The node's kubelet can reach at least one API server, whatever that server can do. */
    nodeReachable: channel<[node: string, reachable: boolean]>('nodeReachable', 'node', 'reachable'),

    // --- the plan ------------------------------------------------------------------------------------------------------------
    faultInjected: channel<[fault: string, kind: string, targets: string]>('faultInjected', 'fault', 'kind', 'targets'),
    faultHealed: channel<[fault: string, kind: string, touched: number]>('faultHealed', 'fault', 'kind', 'touched'),
    /** chaos, healing, quiet. */
    phase: channel<[phase: string]>('phase', 'phase'),
  } as const;
}

export type Facts = ReturnType<typeof createFacts>;

/** Any channel, for listeners that take them all (the recorder). */
export type AnyFactChannel = FactChannel<readonly FactValue[]>;

/** All channels in the order of their declaration. */
export function allFactChannels(facts: Facts): readonly AnyFactChannel[] {
  return Object.values(facts) as unknown as readonly AnyFactChannel[];
}
