import { changeConfig } from './confchange.ts';
import { noLimit } from './entry-size.ts';
import { changeBase, installConfState, switchToConfig } from './membership.ts';
import type { Raft } from './raft.ts';
import {
  type ConfChange,
  type ConfState,
  type Entry,
  EntryNormal,
  type LogIndex,
  leaveJointChange,
  type Snapshot,
  type Term,
} from './types.ts';

/** A configuration and the entry that made it. */
export interface LoggedConfig {
  readonly index: LogIndex;
  readonly term: Term;
  readonly state: ConfState;
}

/**
 * The other rule of when a configuration counts: from when its entry is in the log, committed or not (dissertation, section 4.1), and no longer
 * once the entry is replaced. etcd goes by what is applied. Everything here is for `configOnAppend` alone.
 */
export function startLogConfigs(r: Raft, state: ConfState): void {
  if (!r.config.configOnAppend) return;
  r.configs = [{ index: r.log.firstIndex() - 1, term: 0, state }];
  followLog(r, r.log.firstIndex());
}

/** The log begins anew, with this snapshot. */
export function restartLogConfigs(r: Raft, { index, term, confState }: Snapshot): void {
  if (r.config.configOnAppend) r.configs = [{ index, term, state: confState }];
}

/** Entries from `from` on are new in the log: changes among them count now, and what they replaced counts no more. */
export function followLog(r: Raft, from: LogIndex): void {
  if (!r.config.configOnAppend) return;
  const { configs, log } = r;
  let newest = configs[configs.length - 1];
  const before = newest;
  while (newest !== undefined && configs.length > 1 && isReplaced(r, newest)) {
    configs.pop();
    newest = configs[configs.length - 1];
  }
  if (newest === undefined) return;
  if (newest !== before) installConfState(r, newest.state);
  const last = log.lastIndex();
  for (const entry of from > last ? [] : (log.slice(from, last + 1, noLimit) ?? [])) {
    if (entry.type === EntryNormal || entry.index <= newest.index) continue;
    newest = { index: entry.index, term: entry.term, state: switchToConfig(r, changeConfig(changeBase(r), changeOf(entry))) };
    configs.push(newest);
  }
}

/** The configuration as of an entry. */
export function configAt(r: Raft, index: LogIndex): ConfState | undefined {
  return r.configs.findLast((config) => config.index <= index)?.state;
}

function isReplaced(r: Raft, { index, term }: LoggedConfig): boolean {
  return index > r.log.lastIndex() || (index >= r.log.firstIndex() && r.log.termOrZero(index) !== term);
}

function changeOf(entry: Entry): ConfChange {
  return (entry.data as ConfChange | undefined) ?? leaveJointChange;
}
