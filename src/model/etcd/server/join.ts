import type { Process } from '../../../sim/process.ts';
import { RpcClient } from '../../../sim/rpc.ts';
import { SECOND } from '../../../sim/time.ts';
import type { Joining } from './boot.ts';
import { type EtcdConfig, parseUrl, walPrefix } from './config.ts';
import { walIsUsed } from './wal.ts';

export const REMOVED = 'the member has been permanently removed from the cluster';
const ASK_TIMEOUT_US = 5 * SECOND;

function cleanedUpMark(config: EtcdConfig): string {
  return `${config.dataDir}removed`;
}

/** The member is gone for good: whoever starts it again finds that its data were put away. */
export function markCleanedUp(process: Process, config: EtcdConfig): void {
  process.host.disk.append(process, cleanedUpMark(config), 'removed', 16);
}

/**
 * Calls `start` with what a member needs to know to begin: nothing, if it has data or begins a new cluster; else the members that a
 * running cluster names (GetClusterFromRemotePeers). Ends the program if none of them answers, or if a running cluster says that this
 * member has been part of it: it has lost its disk, and with it its votes, and must not come back under its old name.
 */
export function joinCluster(process: Process, config: EtcdConfig, start: (joining: Joining | undefined) => void): void {
  if ((process.host.disk.read(cleanedUpMark(config)) ?? []).length > 0) process.exit(0, REMOVED);
  if (walIsUsed(process.host.disk, walPrefix(config))) {
    start(undefined);
    return;
  }
  askPeers(process, config, (joining) => {
    if (config.initialClusterState === 'existing') {
      if (joining === undefined) process.exit(1, 'cannot fetch cluster info from peer urls');
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
