import { Simulation, type SimulatedNode, type SimulationOptions, Violation } from './simulation.fixture.ts';
import {
  ConfChangeAddLearnerNode,
  ConfChangeAddNode,
  ConfChangeRemoveNode,
  type ConfChangeSingle,
  leaveJointChange,
  type NodeId,
} from './types.ts';
import { MsgSnap } from './message.ts';

/** What a run amounted to, and the property that it broke, if any. */
export interface ScheduleResult {
  readonly violation: string | undefined;
  readonly committed: number;
  readonly terms: number;
  readonly reads: number;
}

type Action = (simulation: Simulation, node: SimulatedNode, choice: number) => void;

function pick<T>(list: readonly T[], choice: number): T | undefined {
  return list[choice % list.length];
}

const deliverOne: Action = (simulation, _node, choice) => {
  const { inFlight } = simulation;
  if (inFlight.length === 0) return;
  const [message] = inFlight.splice(choice % inFlight.length, 1);
  if (message === undefined) return;
  simulation.deliver(message);
  if (choice % 8 !== 0) simulation.work(message.to);
};

const deliverTo: Action = (simulation, node) => {
  simulation.deliverWhere((message) => message.to === node.id);
};

const drop: Action = (simulation, _node, choice) => {
  const { inFlight } = simulation;
  if (inFlight.length === 0) return;
  const [message] = inFlight.splice(choice % inFlight.length, 1);
  if (message?.type === MsgSnap) simulation.node(message.from).raw.reportSnapshot(message.to, false);
};

const duplicate: Action = (simulation, _node, choice) => {
  const message = pick(simulation.inFlight, choice);
  if (message !== undefined && simulation.inFlight.length < 200) simulation.inFlight.push(message);
};

const isolate: Action = (simulation, { id }) => simulation.dropWhere(({ from, to }) => from === id || to === id);

const cutLeader: Action = (simulation, node, choice) => simulation.cut((pick(simulation.leadingNodes(), choice) ?? node).id);

const heal: Action = (simulation) => simulation.cut(0);

const threads: Action = (simulation, node, choice) => {
  if (choice % 3 === 0) simulation.applyThread(node);
  else if (choice % 3 === 1) simulation.appendThread(node);
  else if (node.raw.hasReady()) simulation.handleReady(node);
};

const timeOut: Action = (simulation, node, choice) => {
  const ticks = node.raw.ticksUntilNextAction();
  if (ticks === Number.POSITIVE_INFINITY) return;
  node.raw.tickMany(ticks);
  simulation.check(node);
  if (choice % 4 !== 0) simulation.work(node.id);
};

const heartbeat: Action = (simulation) => {
  for (const { id, raw } of simulation.leadingNodes()) {
    raw.tick();
    simulation.check(simulation.node(id));
    simulation.work(id);
  }
};

const propose: Action = (simulation, node, choice) => {
  const { id } = pick(simulation.leadingNodes(), choice) ?? node;
  simulation.propose(id);
  if (choice % 4 !== 0) simulation.work(id);
};

const read: Action = (simulation, node, choice) => {
  const { id } = choice % 4 === 0 ? node : (pick(simulation.leadingNodes(), choice) ?? node);
  simulation.read(id);
  simulation.work(id);
};

const crash: Action = (simulation, node) => simulation.crash(node.id);

const crashLeader: Action = (simulation, _node, choice) => {
  const leader = pick(simulation.leadingNodes(), choice);
  if (leader !== undefined) simulation.crash(leader.id);
};

const compact: Action = (simulation, node) => simulation.compact(node.id);

const transfer: Action = (simulation, node, choice) => {
  const { id, raw } = pick(simulation.leadingNodes(), choice) ?? node;
  raw.transferLeadership(node.id);
  simulation.check(simulation.node(id));
  simulation.work(id);
};

const forget: Action = (simulation, node) => {
  node.raw.forgetLeader();
  simulation.check(node);
};

const unreachable: Action = (simulation, node, choice) => {
  const leader = pick(simulation.leadingNodes(), choice);
  leader?.raw.reportUnreachable(node.id);
};

function changeOf(id: NodeId, choice: number): ConfChangeSingle {
  const type = [ConfChangeAddNode, ConfChangeAddLearnerNode, ConfChangeRemoveNode][choice % 3] ?? ConfChangeAddNode;
  return { type, nodeId: id };
}

const reconfigure: Action = (simulation, node, choice) => {
  const leader = pick(simulation.leadingNodes(), choice);
  if (leader === undefined) return;
  const changes = [changeOf(node.id, choice)];
  if (choice % 5 === 0) changes.push(changeOf((node.id % simulation.nodes.length) + 1, Math.floor(choice / 5)));
  // Removing everybody is refused by an exception when applied, as upstream: not a case that hosts let happen.
  const { voters } = leader.confState;
  const removed = changes.filter(({ type }) => type !== ConfChangeAddNode).length;
  if (removed >= voters.length) return;
  // An empty change leaves the joint configuration only with the automatic transition; otherwise it enters one, as upstream.
  const change = choice % 7 === 0 ? leaveJointChange : { transition: choice % 3, changes, context: undefined };
  leader.raw.proposeConfChange(change);
  simulation.check(leader);
  simulation.work(leader.id);
};

/** Actions by how often they are drawn. */
const weighted: readonly (readonly [number, Action])[] = [
  [24, deliverOne],
  [8, deliverTo],
  [4, threads],
  [6, timeOut],
  [2, heartbeat],
  [7, propose],
  [3, read],
  [2, crash],
  [1, crashLeader],
  [3, drop],
  [2, duplicate],
  [2, isolate],
  [1, cutLeader],
  [1, heal],
  [1, compact],
  [1, transfer],
  [1, forget],
  [1, unreachable],
  [1, reconfigure],
];

const deck: readonly Action[] = weighted.flatMap(([count, action]) => new Array<Action>(count).fill(action));

/** Runs a schedule: each number chooses an action, a node and how. Without reconfigurations if there are no spare nodes. */
export function runSchedule(options: SimulationOptions, schedule: readonly number[]): ScheduleResult {
  const simulation = new Simulation(options);
  let violation: string | undefined;
  try {
    for (const number of schedule) {
      const action = deck[number % deck.length] ?? deliverOne;
      const rest = Math.floor(number / deck.length);
      const node = pick(simulation.nodes, rest);
      if (node === undefined || (action === reconfigure && options.spares === undefined)) continue;
      action(simulation, node, Math.floor(rest / simulation.nodes.length));
    }
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error.message;
  }
  const { committedCount: committed, termCount: terms, answeredReads: reads } = simulation;
  return { violation, committed, terms, reads };
}
