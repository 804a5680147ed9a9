import { hasId } from '../../../raft/id-set.ts';
import { type MessageType, messageTypeNames } from '../../../raft/message.ts';
import { ReadOnlyLeaseBased, ReadOnlySafe } from '../../../raft/read-only.ts';
import {
  type ConfState,
  type NodeId,
  raftStateName,
  type StepError,
  TransitionAuto,
  TransitionJointExplicit,
  TransitionJointImplicit,
} from '../../../raft/types.ts';
import { parseConfChanges } from './conf-change-text.ts';
import { Environment, type NodeOptions, type Recipient, ScriptError, textBytes } from './environment.ts';
import { entriesText } from './format.ts';
import { logLevelOf, logLevels } from './output.ts';
import type { Directive, ScriptArgument } from './script.ts';

type Handler = (env: Environment, directive: Directive) => void;

function number(text: string | undefined): number {
  if (text === undefined || !/^\d+$/.test(text)) throw new Error(`not a number: "${text}"`);
  return Number(text);
}

function bool(text: string | undefined): boolean {
  if (text === 'true' || text === 't' || text === '1') return true;
  if (text === 'false' || text === 'f' || text === '0') return false;
  throw new ScriptError(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** Arguments without a value: node ids. */
function ids(directive: Directive): NodeId[] {
  return directive.arguments.filter((arg) => arg.values.length === 0).map((arg) => number(arg.key));
}

function firstId(directive: Directive): NodeId {
  return number(directive.arguments[0]?.key);
}

function value(directive: Directive, key: string): string | undefined {
  return directive.arguments.find((arg) => arg.key === key)?.values[0];
}

function fail(error: StepError | undefined): void {
  if (error !== undefined) throw new ScriptError(error);
}

function setLevel(env: Environment, name: string | undefined): void {
  const level = logLevelOf(name ?? '');
  if (level < 0) throw new ScriptError(`log levels must be either of [${logLevels.join(' ')}]`);
  env.output.level = level;
}

function nodeOptions(args: readonly ScriptArgument[]): NodeOptions {
  let options: NodeOptions = {};
  for (const { key, values } of args) {
    const [text] = values;
    switch (key) {
      case 'inflight':
        options = { ...options, inflightMessagesMax: number(text) };
        break;
      case 'async-storage-writes':
        options = { ...options, asyncStorageWrites: bool(text) };
        break;
      case 'prevote':
        options = { ...options, preVote: bool(text) };
        break;
      case 'checkquorum':
        options = { ...options, checkQuorum: bool(text) };
        break;
      case 'max-committed-size-per-ready':
        options = { ...options, committedBytesPerReadyMax: number(text) };
        break;
      case 'disable-conf-change-validation':
        options = { ...options, disableConfChangeValidation: bool(text) };
        break;
      case 'read-only':
        if (text !== 'safe' && text !== 'lease-based') {
          throw new ScriptError(`invalid read-only option "${text}"`);
        }
        options = { ...options, readOnly: text === 'safe' ? ReadOnlySafe : ReadOnlyLeaseBased };
        break;
      case 'step-down-on-removal':
        options = { ...options, stepDownOnRemoval: bool(text) };
        break;
      default:
        break;
    }
  }
  return options;
}

function addNodes(env: Environment, directive: Directive): void {
  const [, ...args] = directive.arguments;
  const list = (key: string): number[] => args.filter((arg) => arg.key === key).flatMap((arg) => arg.values.map(number));
  const isBootstrap = args.some((arg) => ['voters', 'learners', 'index', 'content'].includes(arg.key));
  const confState: ConfState = {
    voters: list('voters').sort((a, b) => a - b),
    votersOutgoing: [],
    learners: list('learners').sort((a, b) => a - b),
    learnersNext: [],
    autoLeave: false,
  };
  const snapshot = {
    index: number(value(directive, 'index') ?? '0'),
    term: 0,
    confState,
    data: value(directive, 'content') ?? '',
  };
  env.addNodes(firstId(directive), nodeOptions(args), isBootstrap ? snapshot : undefined);
}

/** Runs the action for one node plainly, or for several each under its header. */
function forEachNode(env: Environment, directive: Directive, header: string, action: (id: NodeId) => void): void {
  const all = ids(directive);
  for (const id of all) {
    if (all.length === 1) action(id);
    else {
      env.output.write(`> ${id} ${header}\n`);
      env.output.indented(() => action(id));
    }
  }
}

function deliver(env: Environment, directive: Directive): void {
  const recipients: Recipient[] = [];
  let type: MessageType | undefined;
  for (const { key, values } of directive.arguments) {
    if (values.length === 0) recipients.push({ id: number(key), drop: false });
    else if (key === 'drop') recipients.push(...values.map((id) => ({ id: number(id), drop: true })));
    else if (key === 'type') {
      type = messageTypeNames.indexOf(values[0] ?? '');
      if (type < 0) throw new Error(`unknown message type ${values[0]}`);
    }
  }
  if (env.deliver(recipients, type) === 0) env.output.write('no messages\n');
}

function proposeConfChange(env: Environment, directive: Directive): void {
  let oldStyle = false;
  let transition = TransitionAuto;
  for (const { key, values } of directive.arguments.slice(1)) {
    for (const text of values) {
      if (key === 'v1') oldStyle = bool(text);
      else if (key !== 'transition') throw new ScriptError(`unknown command ${key}`);
      else if (text === 'auto') transition = TransitionAuto;
      else if (text === 'implicit') transition = TransitionJointImplicit;
      else if (text === 'explicit') transition = TransitionJointExplicit;
      else throw new ScriptError(`unknown transition ${text}`);
    }
  }
  const changes = parseConfChanges(directive.input);
  if (oldStyle && (changes.length > 1 || transition !== TransitionAuto)) {
    throw new ScriptError('v1 conf change can only have one operation and no transition');
  }
  const change = { transition, changes, context: undefined };
  fail(env.node(firstId(directive)).raw.proposeConfChange(change, oldStyle));
}

function printLog(env: Environment, id: NodeId): void {
  const { storage } = env.node(id);
  const first = storage.firstIndex();
  const last = storage.lastIndex();
  if (last < first) {
    env.output.write(`log is empty: first index=${first}, last index=${last}`);
    return;
  }
  env.output.write(entriesText(storage.entries(first, last + 1, Number.POSITIVE_INFINITY) ?? []));
}

function printStates(env: Environment): void {
  for (const { raw } of env.nodes) {
    const { id, state, term, lead, config } = raw.status();
    const isVoter = hasId(config.voters, id) || hasId(config.votersOutgoing, id);
    env.output.write(`${id}: ${raftStateName(state)} (${isVoter ? 'Voter' : 'Non-Voter'}) Term:${term} Lead:${lead}\n`);
  }
}

function stabilize(env: Environment, directive: Directive): void {
  const before = env.output.level;
  const level = value(directive, 'log-level');
  try {
    if (level !== undefined) setLevel(env, level);
    const chosen = ids(directive);
    env.stabilize(chosen.length > 0 ? chosen : env.nodes.map(({ raw }) => raw.id));
  } finally {
    env.output.level = before;
  }
}

/** The commands of interaction scripts. */
const handlers: Readonly<Record<string, Handler>> = {
  _breakpoint: () => {},
  'add-nodes': addNodes,
  campaign: (env, d) => env.node(firstId(d)).raw.campaign(),
  compact: (env, d) => {
    const id = firstId(d);
    if (!env.node(id).storage.compact(number(d.arguments[1]?.key))) {
      throw new ScriptError('requested index is unavailable due to compaction');
    }
    printLog(env, id);
  },
  'deliver-msgs': deliver,
  'forget-leader': (env, d) => env.node(firstId(d)).raw.forgetLeader(),
  'log-level': (env, d) => setLevel(env, d.arguments[0]?.key),
  'process-ready': (env, d) => forEachNode(env, d, 'handling Ready', (id) => env.processReady(id)),
  'process-append-thread': (env, d) => forEachNode(env, d, 'processing append thread', (id) => env.processAppendThread(id)),
  'process-apply-thread': (env, d) => forEachNode(env, d, 'processing apply thread', (id) => env.processApplyThread(id)),
  propose: (env, d) => {
    const text = d.arguments[1]?.key ?? '';
    fail(env.node(firstId(d)).raw.propose(text, textBytes(text)));
  },
  'propose-conf-change': proposeConfChange,
  'raft-log': (env, d) => printLog(env, firstId(d)),
  'raft-state': printStates,
  'report-unreachable': (env, d) => env.node(firstId(d)).raw.reportUnreachable(number(d.arguments[1]?.key)),
  'send-snapshot': (env, d) => env.sendSnapshot(firstId(d), number(d.arguments[1]?.key)),
  'set-randomized-election-timeout': (env, d) => env.node(firstId(d)).raw.setRandomizedElectionTimeout(number(value(d, 'timeout'))),
  stabilize,
  status: (env, d) => {
    for (const { id, text } of env.node(firstId(d)).raw.status().progress) {
      env.output.write(`${id}: ${text}\n`);
    }
  },
  'tick-election': (env, d) => {
    for (let i = 0; i < 3; i++) env.node(firstId(d)).raw.tick();
  },
  'tick-heartbeat': (env, d) => env.node(firstId(d)).raw.tick(),
  'transfer-leadership': (env, d) => env.node(number(value(d, 'from'))).raw.transferLeadership(number(value(d, 'to'))),
};

/** Whether interaction scripts have this command. */
export function isInteractionCommand(command: string): boolean {
  return Object.hasOwn(handlers, command);
}

/** Runs interaction scripts; made anew for each file. */
export function interactionRunner(): (directive: Directive) => string {
  const env = new Environment();
  return (directive) => {
    env.output.take();
    let error = '';
    try {
      const handler = handlers[directive.command];
      if (handler === undefined) throw new ScriptError('unknown command');
      handler(env, directive);
    } catch (thrown) {
      if (!(thrown instanceof ScriptError)) throw thrown;
      error = thrown.message;
    }
    const text = env.output.isQuiet() ? error : env.output.take() + error;
    return text === '' ? 'ok' : text;
  };
}
