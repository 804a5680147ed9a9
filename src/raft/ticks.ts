import { hex } from './log-sink.ts';
import { makeMessage, MsgBeat, MsgCheckQuorum, MsgHup, NoNode, noEntries } from './message.ts';
import type { Raft } from './raft.ts';
import { step } from './step.ts';
import { type NodeId, StateLeader } from './types.ts';

function localMessage(type: number, from: NodeId) {
  return makeMessage(type, 0, from, 0, 0, 0, 0, noEntries, 0);
}

/** Lets one tick pass. */
export function tick(r: Raft): void {
  if (r.state === StateLeader) tickLeader(r);
  else tickElection(r);
}

function tickElection(r: Raft): void {
  r.electionElapsed++;
  if (r.electionElapsed < r.randomizedElectionTimeout || !r.isPromotable()) return;
  r.electionElapsed = 0;
  const error = step(r, localMessage(MsgHup, r.id));
  if (error !== undefined) r.sink?.debug(`error occurred during election: ${error}`);
}

function tickLeader(r: Raft): void {
  r.heartbeatElapsed++;
  r.electionElapsed++;
  if (r.electionElapsed >= r.config.electionTicks) {
    r.electionElapsed = 0;
    if (r.config.checkQuorum) step(r, localMessage(MsgCheckQuorum, r.id));
    // A transfer that took longer than this has failed: take proposals again (dissertation, section 3.10).
    if (r.state === StateLeader) r.leadTransferee = NoNode;
  }
  if (r.state !== StateLeader) return;
  if (r.heartbeatElapsed >= r.config.heartbeatTicks) {
    r.heartbeatElapsed = 0;
    const error = step(r, localMessage(MsgBeat, r.id));
    if (error !== undefined) {
      r.sink?.debug(`error occurred during checking sending heartbeat: ${error} ${hex(r.id)}`);
    }
  }
}

/**
 * In how many ticks the next tick that does anything falls due, counted from now: 1 is the very next. Infinity if no tick does
 * anything (a node that may not campaign) until something else happens.
 */
export function ticksUntilNextAction(r: Raft): number {
  if (r.state === StateLeader) {
    const heartbeat = r.config.heartbeatTicks - r.heartbeatElapsed;
    const election = r.config.electionTicks - r.electionElapsed;
    return Math.max(1, Math.min(heartbeat, election));
  }
  if (!r.isPromotable()) return Number.POSITIVE_INFINITY;
  return Math.max(1, r.randomizedElectionTimeout - r.electionElapsed);
}

/** Lets `count` ticks pass, exactly as `count` single ticks would, at a cost that grows only with what they do. */
export function tickMany(r: Raft, count: number): void {
  if (r.state !== StateLeader && r.electionElapsed + count < r.randomizedElectionTimeout) {
    r.electionElapsed += count;
    return;
  }
  let left = count;
  while (left > 0) {
    const due = ticksUntilNextAction(r);
    const idle = Math.min(left, due - 1);
    r.electionElapsed += idle;
    if (r.state === StateLeader) r.heartbeatElapsed += idle;
    left -= idle;
    if (left > 0) {
      tick(r);
      left--;
    }
  }
}
