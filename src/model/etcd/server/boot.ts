import { MemoryStorage } from '../../../raft/storage.ts';
import { emptyConfState, type ConfState } from '../../../raft/types.ts';
import type { Process } from '../../../sim/process.ts';
import type { Member, MemberId } from '../api.ts';
import type { MembershipChange, MembershipRows } from '../membership.ts';
import { hashText } from '../../../sim/mix.ts';
import { EtcdState, type StateOptions } from '../state.ts';
import { Backend } from './backend.ts';
import { computeMemberId, type EtcdConfig, walPrefix } from './config.ts';
import { type SnapshotFile, Snapshots } from './snapshots.ts';
import { Wal, walIsUsed } from './wal.ts';

/** A first member as raft's bootstrap takes it. */
interface Peer {
  readonly id: MemberId;
  readonly context: MembershipChange;
}

/** What the members of a running cluster tell one that joins. */
export interface Joining {
  readonly clusterId: number;
  readonly members: readonly Member[];
}

/** What a member starts from. */
export interface Boot {
  readonly memberId: MemberId;
  readonly clusterId: number;
  readonly wal: Wal;
  readonly storage: MemoryStorage;
  readonly state: EtcdState;
  readonly snapshot: SnapshotFile | undefined;
  /** Where applying goes on: the snapshot's position. */
  readonly applied: { readonly index: number; readonly term: number; readonly confState: ConfState; readonly membership: MembershipRows };
  /** Not undefined: a new cluster begins with these peers. */
  readonly bootstrap: readonly Peer[] | undefined;
  /** The members as the configuration or the running cluster names them: good until this member's own state knows better. */
  readonly known: readonly Member[];
  /** Names of the first members, known before they have made themselves known. */
  readonly names: ReadonlyMap<MemberId, string>;
  /** There was no data: the backend file is new. */
  readonly isFresh: boolean;
}

const noMembers: MembershipRows = { members: [], removed: [] };

/** The ids of the first members of a new cluster. */
function initialMembers(config: EtcdConfig): readonly Member[] {
  return config.initialCluster.map(({ name, peerURL, id }) => ({
    id: id ?? computeMemberId([peerURL], config.clusterToken, 0),
    name,
    peerURLs: [peerURL],
    clientURLs: [],
    isLearner: false,
  }));
}

function namesOf(config: EtcdConfig): ReadonlyMap<MemberId, string> {
  return new Map(initialMembers(config).map((member) => [member.id, member.name]));
}

/** The id of a cluster: a hash over its first members' (RaftCluster.genID). */
function clusterIdOf(config: EtcdConfig): number {
  const ids = initialMembers(config).map((member) => member.id);
  return hashText(ids.sort((a, b) => a - b).join(','), 3) + 1;
}

/**
 * Finds out what there is on disk and builds the member's state from it (server/etcdserver/bootstrap.go). `joining` is what the members of
 * a running cluster said about it; needed only by a member without data that joins one.
 */
export function boot(process: Process, config: EtcdConfig, options: StateOptions, joining: Joining | undefined): Boot {
  const wal = new Wal(process, walPrefix(config), {
    forgetsVote: config.defects.has('R4'),
    resurrectsTruncated: config.defects.has('R15'),
    syncsLate: config.defects.has('R18'),
  });
  const snapshots = new Snapshots(process, config);
  const storage = new MemoryStorage();
  if (!walIsUsed(process.host.disk, walPrefix(config))) return bootNew(process, config, options, { wal, storage, joining });
  const snapshot = snapshots.newest(wal);
  const content = wal.open({ index: snapshot?.index ?? 0 });
  if (content === undefined) return bootNew(process, config, options, { wal, storage, joining });
  if (snapshot !== undefined) {
    const { index, term, confState } = snapshot;
    storage.applySnapshot({ index, term, confState, data: undefined });
  }
  const { state } = content;
  const lastTerm = content.entries[content.entries.length - 1]?.term ?? snapshot?.term ?? 0;
  const lastIndex = content.entries[content.entries.length - 1]?.index ?? snapshot?.index ?? 0;
  // The commit index of the last save may lie behind a snapshot that was saved after it, or (defect R4) the term behind an entry's.
  storage.setHardState({
    term: Math.max(state.term, lastTerm),
    vote: state.vote,
    commit: Math.min(lastIndex, Math.max(state.commit, snapshot?.index ?? 0)),
  });
  storage.append(content.entries);
  let image = Backend.read(process, config);
  // A crash between saving the leader's snapshot and putting its backend in place (RecoverSnapshotBackend).
  if (snapshot?.image !== undefined && snapshot.index > (image?.consistentIndex ?? 0)) image = snapshot.image;
  if ((snapshot?.index ?? 0) > (image?.consistentIndex ?? 0)) {
    // The log begins after what the backend holds: something that was synced is gone.
    process.exit(1, 'failed to find database snapshot file');
  }
  return {
    memberId: content.metadata.memberId,
    clusterId: content.metadata.clusterId,
    wal,
    storage,
    state: new EtcdState(options, image),
    snapshot,
    applied: {
      index: snapshot?.index ?? 0,
      term: snapshot?.term ?? 0,
      confState: snapshot?.confState ?? emptyConfState,
      membership: snapshot?.membership ?? noMembers,
    },
    bootstrap: undefined,
    // A crash in its very first moments leaves a member with a log but without a membership.
    known: (image?.membership.members.length ?? 0) > 0 ? [] : initialMembers(config),
    names: namesOf(config),
    isFresh: false,
  };
}

function bootNew(
  process: Process,
  config: EtcdConfig,
  options: StateOptions,
  parts: { readonly wal: Wal; readonly storage: MemoryStorage; readonly joining: Joining | undefined },
): Boot {
  const { wal, storage, joining } = parts;
  const self = (joining?.members ?? initialMembers(config)).find((member) => member.peerURLs.includes(config.peerURL));
  if (self === undefined) process.exit(1, `${config.name} is not in the cluster: ${config.peerURL}`);
  const clusterId = joining?.clusterId ?? clusterIdOf(config);
  const created = wal.create({ memberId: self.id, clusterId });
  if (!created.ok) process.exit(1, 'failed to create WAL: no space left on device');
  const peers = initialMembers(config).map((member): Peer => {
    const context: MembershipChange = { kind: 'add', member: { ...member, name: '' } };
    return { id: member.id, context };
  });
  return {
    memberId: self.id,
    clusterId,
    wal,
    storage,
    state: new EtcdState(options),
    snapshot: undefined,
    applied: { index: 0, term: 0, confState: emptyConfState, membership: noMembers },
    bootstrap: joining === undefined ? peers.sort((a, b) => a.id - b.id) : undefined,
    known: joining?.members ?? initialMembers(config),
    names: namesOf(config),
    isFresh: true,
  };
}
