import { hex } from './log-sink.ts';
import {
  CampaignTransfer,
  type MessageType,
  MsgPreVote,
  MsgPreVoteResp,
  MsgVote,
  MsgVoteResp,
  makeMessage,
  messageTypeName,
  noEntries,
} from './message.ts';
import type { Raft } from './raft.ts';
import { becomeCandidate, becomePreCandidate } from './transitions.ts';
import { EntryNormal, RaftInvariantError, StateLeader } from './types.ts';

/** Ask first whether a campaign would succeed. */
export const CampaignPreElection = 0;
/** Campaign. */
export const CampaignElection = 1;
/** Campaign because the leader said so: followers ignore their lease. */
export const CampaignByTransfer = 2;

/** One of the three `Campaign…` numbers. */
export type CampaignType = number;

/** Answers MsgHup: campaigns if this node may. */
export function hup(r: Raft, type: CampaignType): void {
  if (r.state === StateLeader) {
    r.sink?.debug(`${hex(r.id)} ignoring MsgHup because already leader`);
    return;
  }
  if (!r.isPromotable()) {
    r.sink?.warn(`${hex(r.id)} is unpromotable and can not campaign`);
    return;
  }
  // A node that knows of a committed change must apply it first, or it would campaign in a configuration that is over.
  if (hasUnappliedConfChange(r)) {
    r.sink?.warn(`${hex(r.id)} cannot campaign at term ${r.term} since there are still pending configuration changes to apply`);
    return;
  }
  r.sink?.info(`${hex(r.id)} is starting a new election at term ${r.term}`);
  campaign(r, type);
}

function hasUnappliedConfChange(r: Raft): boolean {
  let at = r.log.applied + 1;
  const end = r.log.committed + 1;
  while (at < end) {
    const page = r.log.slice(at, end, r.config.committedBytesPerReadyMax);
    if (page === undefined || page.length === 0) {
      throw new RaftInvariantError(`error scanning unapplied entries [${at}, ${end})`);
    }
    for (const entry of page) if (entry.type !== EntryNormal) return true;
    at += page.length;
  }
  return false;
}

/** Requests votes from every other voter, in the order of ids; its own vote counts once it is on stable storage. */
export function campaign(r: Raft, type: CampaignType): void {
  if (!r.isPromotable()) r.sink?.warn(`${hex(r.id)} is unpromotable; campaign() should have been called`);
  const isPre = type === CampaignPreElection;
  if (isPre) becomePreCandidate(r);
  else becomeCandidate(r);
  const request: MessageType = isPre ? MsgPreVote : MsgVote;
  const response: MessageType = isPre ? MsgPreVoteResp : MsgVoteResp;
  // A pre-vote asks about the term that the campaign would have.
  const term = isPre ? r.term + 1 : r.term;
  const lastIndex = r.log.lastIndex();
  const lastTerm = r.log.lastTerm();
  const context = type === CampaignByTransfer ? CampaignTransfer : 0;
  for (const id of r.tracker.voterIds()) {
    if (id === r.id) {
      r.sendAfterAppend(makeMessage(response, id, r.id, term, 0, 0, 0, noEntries, 0));
      continue;
    }
    r.sink?.info(
      `${hex(r.id)} [logterm: ${lastTerm}, index: ${lastIndex}] sent ${messageTypeName(request)} request to ${hex(id)} at term ${r.term}`,
    );
    r.send(makeMessage(request, id, r.id, term, lastTerm, lastIndex, 0, noEntries, context));
  }
}
