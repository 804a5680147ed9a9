import { changeConfig, type Changed, type ChangeBase } from './confchange.ts';
import { restoreConfig } from './conf-restore.ts';
import { hasId } from './id-set.ts';
import { hex } from './log-sink.ts';
import { NoNode } from './message.ts';
import type { Raft } from './raft.ts';
import { broadcastAppend, maybeCommit, maybeSendAppend } from './replication.ts';
import { configToConfState, configToString, emptyConfig } from './tracker.ts';
import { becomeFollower } from './transitions.ts';
import { type ConfChange, type ConfState, StateLeader } from './types.ts';

/** What a change of the active configuration starts from. */
export function changeBase(r: Raft): ChangeBase {
  const { config, progress } = r.tracker;
  return { config, progress, lastIndex: r.log.lastIndex(), newInflights: () => r.tracker.newInflights() };
}

/** Applies a committed membership change. Throws ConfChangeError if it breaks the rules: the proposer's validation failed. */
export function applyConfChange(r: Raft, change: ConfChange): ConfState {
  return switchToConfig(r, changeConfig(changeBase(r), change));
}

/** Installs the configuration of a snapshot (or of the storage at start) in place of whatever was active. */
export function installConfState(r: Raft, state: ConfState): void {
  const base: ChangeBase = { ...changeBase(r), config: emptyConfig, progress: [] };
  switchToConfig(r, restoreConfig(base, state));
}

/** Goes by another configuration from now on. */
export function switchToConfig(r: Raft, { config, progress }: Changed): ConfState {
  r.tracker.install(config, progress);
  r.sink?.info(`${hex(r.id)} switched to configuration ${configToString(config)}`);
  const state = configToConfState(config);
  const own = r.tracker.find(r.id);
  r.isLearner = own?.isLearner ?? false;
  if (r.state === StateLeader && (own === undefined || own.isLearner)) {
    // Removed or demoted while leading. The dissertation (section 4.2.2) lets it lead without a vote until the change is committed
    // everywhere; etcd 3.6 steps down instead.
    if (r.config.stepDownOnRemoval) becomeFollower(r, r.term, NoNode);
    return state;
  }
  if (r.state !== StateLeader || config.voters.length === 0) return state;
  if (maybeCommit(r)) {
    // The new quorum is smaller: more is committed than before.
    broadcastAppend(r);
  } else {
    // Members just added should not have to wait for the next heartbeat.
    for (const pr of r.tracker.progress) if (pr.id !== r.id) maybeSendAppend(r, pr, false);
  }
  if (r.leadTransferee !== NoNode && !hasId(r.tracker.voterIds(), r.leadTransferee)) {
    r.leadTransferee = NoNode;
  }
  return state;
}
