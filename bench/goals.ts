/** One row of the table of goals: what a figure is held against. */
export interface Goal {
  readonly goal: number;
  readonly figure: string;
  readonly peer: string;
  /** What the peer reaches on the machine that the goals were set on, in the figure's unit. Ratios of one run need the peer run beside. */
  readonly peerValue: number;
  readonly better: 'higher' | 'lower';
  /** Ratio below which the build is to fail, once it was reached. */
  readonly gate: number;
  readonly aim: number;
}

const higher = 'higher';
const lower = 'lower';

/** Proposals per CPU second of the raft libraries, by cluster size and proposals in flight. */
const raft = (goal: number, peer: string, gate: number, aim: number, values: Readonly<Record<string, number>>): readonly Goal[] =>
  Object.entries(values).map(([load, peerValue]) => ({ goal, figure: `raft-sim-${load}`, peer, peerValue, better: higher, gate, aim }));

/** Goals of the project's performance page by number; the only place where they are written down. */
export const GOALS: readonly Goal[] = [
  ...raft(1, 'etcd-io/raft', 1, 2, { 'n3-w1': 216_000, 'n3-w64': 242_000, 'n5-w1': 117_000, 'n5-w64': 124_000 }),
  ...raft(2, 'raft-rs', 0.6, 1.2, { 'n3-w1': 367_000, 'n3-w64': 359_000, 'n5-w1': 208_000, 'n5-w64': 200_000 }),
  { goal: 3, figure: 'raft-sim-idle-n3', peer: 'etcd-io/raft', peerValue: 117_000, better: higher, gate: 0.5, aim: 1.5 },
  { goal: 4, figure: 'heartbeats', peer: 'madsim', peerValue: 14_900, better: higher, gate: 5, aim: 10 },
  { goal: 5, figure: 'heartbeats', peer: 'turmoil', peerValue: 220, better: higher, gate: 300, aim: 700 },
  { goal: 6, figure: 'chaos-trial-speed', peer: 'VOPR', peerValue: 148, better: higher, gate: 10, aim: 20 },
  { goal: 7, figure: 'chaos-trial-seeds', peer: 'VOPR', peerValue: 0.64, better: higher, gate: 4, aim: 8 },
  { goal: 7, figure: 'chaos-trial-seeds', peer: 'VOPR --lite', peerValue: 1.1, better: higher, gate: 2.3, aim: 4.5 },
  { goal: 8, figure: 'chaos-trial-wall', peer: 'real cluster', peerValue: 603, better: lower, gate: 1500, aim: 3000 },
  { goal: 9, figure: 'worker-memory', peer: 'VOPR', peerValue: 1900, better: lower, gate: 10, aim: 20 },
  { goal: 10, figure: 'idle-cluster', peer: 'real cluster', peerValue: 61, better: higher, gate: 160, aim: 400 },
  { goal: 11, figure: 'first-deployment', peer: 'real cluster', peerValue: 3.2, better: lower, gate: 20, aim: 40 },
  { goal: 12, figure: 'warm-deployment', peer: 'real cluster', peerValue: 67, better: lower, gate: 30, aim: 100 },
  { goal: 12, figure: 'rolling-update', peer: 'real cluster', peerValue: 350, better: lower, gate: 50, aim: 150 },
  { goal: 13, figure: 'nodes-100-pods-1000', peer: 'real cluster', peerValue: 18.9, better: lower, gate: 120, aim: 200 },
  { goal: 14, figure: 'nodes-1000-pods-10000', peer: 'real cluster', peerValue: 332, better: lower, gate: 120, aim: 300 },
  { goal: 15, figure: 'nodes-1000-memory', peer: 'real cluster', peerValue: 2100, better: lower, gate: 6, aim: 10 },
  { goal: 16, figure: 'nodes-1000-idle', peer: 'real cluster', peerValue: 2.4, better: higher, gate: 100, aim: 250 },
  // The 71 logs that lie beside the checkout, and the history of bench/revision-history.ts with a model of the whole store and its
  // revision, as etcd's robustness tests check theirs (a register a key, which forgets the revisions, takes porcupine 10 ms).
  { goal: 18, figure: 'linearizability-etcd-logs', peer: 'porcupine', peerValue: 240, better: lower, gate: 1, aim: 2 },
  { goal: 19, figure: 'linearizability-revisions-10k', peer: 'porcupine', peerValue: 2840, better: lower, gate: 20, aim: 100 },
  { goal: 22, figure: 'raft-explorer-generated', peer: 'stateright raft', peerValue: 420_000, better: higher, gate: 0.25, aim: 0.5 },
  { goal: 22, figure: 'raft-explorer-generated', peer: 'TLC', peerValue: 71_000, better: higher, gate: 1.5, aim: 3 },
  // Limits, not speeds: a ratio of 1 / 1.5 is 1.5 times an empty process.
  { goal: 24, figure: 'version-cpu', peer: 'empty node', peerValue: 1, better: lower, gate: 0.667, aim: 0.833 },
];
