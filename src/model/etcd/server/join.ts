import type { Process } from '../../../sim/process.ts';
import { RpcClient } from '../../../sim/rpc.ts';
import { SECOND } from '../../../sim/time.ts';
import type { MemberId } from '../api.ts';
import type { Joining } from './boot.ts';
import { type EtcdConfig, parseUrl, walPrefix } from './config.ts';
import { walIsUsed } from './wal.ts';

export const REMOVED = 'the member has been permanently removed from the cluster';
const ASK_TIMEOUT_US = 5 * SECOND;

/** What is left of a member that put its data away. */
interface Remains {
  /** The id under which it must never come back; 0: nobody remembers it (defect R19). */
  readonly removedAs: MemberId;
}

function remainsFile(config: EtcdConfig): string {
  return `${config.dataDir}removed`;
}

/** Puts the data of a removed member away for good: it joins anew, if at all. */
export function putDataAway(process: Process, config: EtcdConfig, memberId: MemberId): void {
  const { disk } = process.host;
  for (const file of disk.list(config.dataDir)) disk.remove(process, file);
  // Somebody who lags behind may still list it as a member. Under its old id it would count as one that has kept its log and its votes
  // (rethinkdb#5289).
  const remains: Remains = { removedAs: config.defects.has('R19') ? 0 : memberId };
  disk.append(process, remainsFile(config), remains, 16);
}

/**
 * Calls `start` with what a member needs to know to begin: nothing, if it has data or begins a new cluster; else the members that a
 * running cluster names (GetClusterFromRemotePeers). Ends the program if none of them answers, or if a running cluster says that this
 * member has been part of it: it has lost its disk, and with it its votes, and must not come back under its old name.
 */
export function joinCluster(process: Process, config: EtcdConfig, start: (joining: Joining | undefined) => void): void {
  if (walIsUsed(process.host.disk, walPrefix(config))) {
    start(undefined);
    return;
  }
  const remains = process.host.disk.read(remainsFile(config))?.[0]?.value as Remains | undefined;
  askPeers(process, config, (joining) => {
    if (config.initialClusterState === 'existing' || remains !== undefined) {
      if (joining === undefined) process.exit(1, 'cannot fetch cluster info from peer urls');
      const listed = joining.members.find((member) => member.peerURLs.includes(config.peerURL));
      if (remains !== undefined && listed?.id === remains.removedAs) process.exit(0, REMOVED);
      start(joining);
      return;
    }
    const self = joining?.members.find((member) => member.peerURLs.includes(config.peerURL));
    if (self !== undefined && self.name !== '') process.exit(1, `member ${self.id} has already been bootstrapped`);
    start(undefined);
  });
}

/** Asks the other members one after the other until one answers. */
function askPeers(process: Process, config: EtcdConfig, answer: (joining: Joining | undefined) => void): void {
  const others = config.initialCluster.filter((member) => member.peerURL !== config.peerURL);
  const ask = (at: number) => {
    const other = others[at];
    if (other === undefined) return answer(undefined);
    const url = parseUrl(other.peerURL);
    if (url === undefined) return ask(at + 1);
    const rpc = new RpcClient(process, process.world.network.endpoint(url.address, url.port), { connectTimeoutUs: ASK_TIMEOUT_US });
    rpc.callThen('peer/members', undefined, { timeoutUs: ASK_TIMEOUT_US }, (result) => {
      rpc.disconnect();
      if (result.ok) answer(result.value as Joining);
      else ask(at + 1);
    });
  };
  ask(0);
}
