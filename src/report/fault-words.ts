import type { FaultEffect } from '../harness/plan.ts';
import { faultOf } from '../faults/registry.ts';
import type { ActorKind } from './document.ts';
import type { History } from './history.ts';
import { MILLISECOND } from '../sim/time.ts';
import { span } from './time-words.ts';
import { listed, ordinal } from './glossary.ts';

/** The moments at which `crash-at-fact` strikes. */
const AFTER: Readonly<Record<string, string>> = {
  raftVote: 'a vote',
  raftLeader: 'its election',
  raftAppend: 'an append',
  raftCommit: 'a commit',
  raftRole: 'a change of its role',
  raftSnapshot: 'a snapshot',
};

const WHAT: Readonly<Record<string, string>> = {
  raftVote: 'vote',
  raftLeader: 'election',
  raftAppend: 'append',
  raftCommit: 'commit',
  raftRole: 'change of role',
  raftSnapshot: 'snapshot',
};

/** What a fault does, as a clause that follows its name: "cuts cp-2 (api-2, etcd-2) off from all other hosts". */
export function sayFault(history: History, effect: FaultEffect): string {
  const planned = [...history.input.faults, ...history.input.operations].find((fault) => fault.id === effect.id);
  const params = (planned?.params ?? {}) as unknown as Readonly<Record<string, unknown>>;
  const where = listed(effect.lanes.map((lane) => place(history, lane)));
  switch (effect.kind) {
    case 'partition':
      return params.oneWay === true
        ? `makes ${where} deaf: what the other hosts send to ${effect.lanes.length > 1 ? 'them' : 'it'} is lost`
        : `cuts ${where} off from all other hosts`;
    case 'partition-pair': {
      const [first, ...others] = effect.lanes.map((lane) => place(history, lane));
      return `cuts the link between ${first} and ${listed(others)}`;
    }
    case 'partition-zone':
      return `cuts ${String(params.zone ?? 'a zone')} (${effect.lanes.join(', ')}) off from the other zones`;
    case 'crash-process':
      return `kills ${where}`;
    case 'power-outage':
      return `takes the power from ${where} at the same instant`;
    case 'crash-host':
      return `takes the power from ${where}`;
    case 'crash-at-effect':
    case 'crash-at-fact': {
      const what = params.powerLoss === true ? `the power of ${effect.lanes.map((lane) => history.hostOf(lane)).join(', ')} off` : '';
      const when =
        effect.kind === 'crash-at-effect' ? 'in the middle of its work' : `right after ${AFTER[String(params.fact)] ?? 'a telling moment'}`;
      if (effect.touched === 0) return `waits to kill ${where} ${when}, and never does`;
      return what === ''
        ? `kills ${where} ${when}`
        : `turns ${what}, ${when.replace('its work', `the work of ${where}`).replace('right after', `right after ${where} has seen`)}`;
    }
    case 'mute-at-fact': {
      if (effect.touched === 0) return `waits to silence ${where}, and never does`;
      const dies = Number(params.diesAfterEffects) > 0 ? '; soon after, it dies' : '';
      return `silences ${where} from its ${ordinal(Number(params.nth))} ${WHAT[String(params.fact)] ?? 'such fact'} on: nobody hears it, it still hears the others${dies}`;
    }
    case 'link-duplication':
      return `delivers ${String(params.duplicatePercent)} % of what ${where} sends twice`;
    case 'link-reorder':
      return `lets what ${where} sends overtake itself`;
    case 'app-hang':
      return `lets pod ${String(params.ordinal)} of ${String(params.workload)} hang`;
    case 'drain-node':
      return `drains ${String(params.node)}, as a user does before maintenance`;
    case 'pause-process':
    case 'pause-host':
      return `stops ${where} for a while: nothing is lost, all is late`;
    case 'disk-stall':
      return `stalls the disk of ${where}: no fsync comes back`;
    case 'disk-full':
      return `fills the disk of ${where}`;
    case 'disk-slow':
      return `slows the disk of ${where} down ${String(params.factor)} times`;
    case 'clock-jump':
      return `sets the clock of ${where} ${Number(params.jumpMs) >= 0 ? 'forward' : 'back'} by ${span(Math.abs(Number(params.jumpMs)) * MILLISECOND)}`;
    case 'clock-drift':
      return `lets the clock of ${where} drift by ${String(params.ratePpm)} ppm`;
    case 'link-latency':
      return `delays what ${where} sends by ${String(params.latencyMs)} ms`;
    case 'link-loss':
      return `loses ${String(params.lossPercent)} % of what ${where} sends`;
    case 'watch-stall':
      return `holds back ${params.resource === undefined || params.resource === '' ? 'all watch events' : `the watch events of ${String(params.resource)}`} for ${where}`;
    case 'connection-reset':
      return `resets the connections of ${where}`;
    default:
      return `(${effect.label}): ${lower(faultOf(effect.kind).about)}`;
  }
}

/** `cp-2 (etcd-2)`: a host with the programs that matter on it. */
function place(history: History, lane: string): string {
  if (!history.actors.isHost(lane)) return lane;
  const programs = history.actors.programsOf(lane).filter((name) => /^(etcd|api|kubelet)-/.test(name) && !name.endsWith(lane));
  return programs.length === 0 ? lane : `${lane} (${programs.join(', ')})`;
}

export function iconOfFault(kind: string): ActorKind {
  if (/^(partition|link|connection)/.test(kind)) return 'network';
  if (kind.startsWith('disk')) return 'disk';
  return kind.startsWith('clock') ? 'clock' : 'fault';
}

function lower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, '');
}
