import type { Process } from '../../../sim/process.ts';
import { RpcClient } from '../../../sim/rpc.ts';
import { SECOND } from '../../../sim/time.ts';
import type { Joining } from './boot.ts';
import { type EtcdConfig, parseUrl } from './config.ts';

const ASK_TIMEOUT_US = 5 * SECOND;

/**
 * Calls `start` with what a member needs to know to begin: nothing, if it has data or begins a new cluster; else the members that a
 * running cluster names (GetClusterFromRemotePeers). Ends the program if none of them answers.
 */
export function joinCluster(process: Process, config: EtcdConfig, start: (joining: Joining | undefined) => void): void {
  const hasData = process.host.disk.list(`${config.dataDir}wal/`).length > 0;
  if (hasData || config.initialClusterState === 'new') {
    start(undefined);
    return;
  }
  const others = config.initialCluster.filter((member) => member.peerURL !== config.peerURL);
  const ask = (at: number) => {
    const other = others[at];
    if (other === undefined) process.exit(1, 'cannot fetch cluster info from peer urls');
    const url = parseUrl(other.peerURL);
    if (url === undefined) return ask(at + 1);
    const rpc = new RpcClient(process, process.world.network.endpoint(url.address, url.port), { connectTimeoutUs: ASK_TIMEOUT_US });
    rpc.callThen('peer/members', undefined, { timeoutUs: ASK_TIMEOUT_US }, (result) => {
      rpc.disconnect();
      if (result.ok) start(result.value as Joining);
      else ask(at + 1);
    });
  };
  ask(0);
}
