import type { Process } from '../../../sim/process.ts';
import type { ServerCall } from '../../../sim/rpc.ts';
import { MILLISECOND, type Micros } from '../../../sim/time.ts';
import type { CallMetadata, ResponseHeader, WatchCreate, WatchRequest, WatchResponse } from '../api.ts';
import { type EtcdError, etcdError, isError } from '../errors.ts';
import { eventBytes, type WatchStream } from '../mvcc/watch-stream.ts';
import type { EtcdState } from '../state.ts';
import { type EtcdConfig, electionTimeoutUs } from './config.ts';

/** How often victims are tried again (syncVictimsLoop). */
const VICTIM_RETRY_US = 10 * MILLISECOND;
/** How often a stream whose connection is full is tried again. */
const BLOCKED_RETRY_US = 10 * MILLISECOND;
/** maxNoLeaderCnt: election timeouts without a leader after which streams that require one are cut. */
const NO_LEADER_COUNT_MAX = 3;
const RESPONSE_BYTES = 64;

/** What watches need of their member. */
export interface WatchHost {
  readonly process: Process;
  readonly config: EtcdConfig;
  readonly state: EtcdState;
  readonly hasLeader: boolean;
  readonly isLearner: boolean;
  header(revision: number): ResponseHeader;
}

interface OpenStream {
  readonly call: ServerCall;
  readonly stream: WatchStream;
  readonly requireLeader: boolean;
  readonly token: string | undefined;
  blocked: boolean;
  progressTimer: number;
}

/** Serves watch streams (v3rpc/watch.go) and drives the watchers that have to catch up. */
export class WatchService {
  readonly #host: WatchHost;
  readonly #streams = new Set<OpenStream>();
  #ready: OpenStream[] = [];
  readonly #startedAt: Micros;
  #syncTimer = 0;
  #victimTimer = 0;
  #leaderTimer = 0;
  #leaderlessRounds = 0;

  constructor(host: WatchHost) {
    this.#host = host;
    this.#startedAt = host.process.mono();
  }

  open(call: ServerCall, metadata: CallMetadata): void {
    const refused = this.#refusal(metadata);
    if (refused !== undefined) {
      call.end(refused);
      return;
    }
    const { state, config } = this.#host;
    const open: OpenStream = {
      call,
      stream: state.watch.openStream({
        header: (revision) => this.#host.header(revision),
        ready: () => this.#ready.push(open),
        fragmentBytes: config.requestBytesMax + 512 * 1024,
      }),
      requireLeader: metadata.requireLeader === true,
      token: metadata.token,
      blocked: false,
      progressTimer: 0,
    };
    this.#streams.add(open);
    call.onMessage = (body) => this.#request(open, body as WatchRequest);
    call.onCancel = () => this.#close(open);
  }

  #refusal(metadata: CallMetadata): EtcdError | undefined {
    if (this.#host.isLearner) return etcdError('notSupportedForLearner');
    return metadata.requireLeader === true && !this.#host.hasLeader ? etcdError('noLeader') : undefined;
  }

  #request(open: OpenStream, request: WatchRequest): void {
    switch (request.type) {
      case 'create':
        open.stream.create(request, this.#denied(open, request));
        this.#armProgress(open);
        break;
      case 'cancel':
        open.stream.cancel(request.watchId);
        break;
      case 'progress':
        open.stream.requestProgress();
        break;
    }
    this.flush();
  }

  #denied(open: OpenStream, request: WatchCreate): { readonly error: EtcdError; readonly text: string } | undefined {
    const { auth } = this.#host.state;
    if (!auth.enabled) return undefined;
    const info = auth.infoOf(open.token);
    const error = isError(info) ? info : auth.check(info, 'read', request.key === '' ? '\0' : request.key, request.rangeEnd ?? '');
    if (error === undefined) return undefined;
    return { error, text: `rpc error: code = ${grpcName(error.grpc)} desc = ${error.message}` };
  }

  /** Sends what streams have ready, and sees to those that have to catch up. Called after every batch of applied entries. */
  flush(): void {
    while (this.#ready.length > 0) {
      const ready = this.#ready;
      this.#ready = [];
      for (const open of ready) this.#drain(open);
    }
    const { watch } = this.#host.state;
    if (watch.hasUnsynced && this.#syncTimer === 0) this.#armSync();
    if (watch.hasVictims && this.#victimTimer === 0) {
      this.#victimTimer = this.#host.process.after(VICTIM_RETRY_US, () => {
        this.#victimTimer = 0;
        watch.retryVictims();
        this.flush();
      });
    }
  }

  /** syncWatchersLoop looks every 100 ms. */
  #armSync(): void {
    const { process, config, state } = this.#host;
    const since = process.mono() - this.#startedAt;
    this.#syncTimer = process.after(config.watchResyncUs - (since % config.watchResyncUs), () => {
      this.#syncTimer = 0;
      state.watch.syncWatchers();
      this.flush();
    });
  }

  #drain(open: OpenStream): void {
    if (open.blocked || !open.call.open) return;
    for (let message = open.stream.peek(); message !== undefined; message = open.stream.peek()) {
      if (!open.call.send(message, responseBytes(message))) {
        this.#waitForRoom(open);
        return;
      }
      open.stream.take();
    }
  }

  #waitForRoom(open: OpenStream): void {
    if (!open.call.open) return;
    open.blocked = true;
    this.#host.process.after(BLOCKED_RETRY_US, () => {
      open.blocked = false;
      this.#drain(open);
      this.flush();
    });
  }

  #armProgress(open: OpenStream): void {
    if (!open.stream.wantsProgress || open.progressTimer !== 0) return;
    const { process, config } = this.#host;
    // Spread by up to a tenth, so that streams do not all tick together (GetProgressReportInterval).
    const interval = config.watchProgressIntervalUs + process.random.below(Math.floor(config.watchProgressIntervalUs / 10) + 1);
    open.progressTimer = process.after(interval, () => {
      open.progressTimer = 0;
      if (!open.call.open) return;
      open.stream.progressTick();
      this.#armProgress(open);
      this.flush();
    });
  }

  /** Leaderlessness is watched only while it lasts (monitorLeader). */
  leaderChanged(): void {
    if (this.#host.hasLeader) {
      this.#leaderlessRounds = 0;
      return;
    }
    if (this.#leaderTimer === 0) this.#armLeaderCheck();
  }

  #armLeaderCheck(): void {
    const election = electionTimeoutUs(this.#host.config);
    const since = this.#host.process.mono() - this.#startedAt;
    this.#leaderTimer = this.#host.process.after(election - (since % election), () => {
      this.#leaderTimer = 0;
      if (this.#host.hasLeader) return;
      this.#leaderlessRounds++;
      if (this.#leaderlessRounds >= NO_LEADER_COUNT_MAX) this.#cutThoseThatRequireLeader();
      this.#armLeaderCheck();
    });
  }

  #cutThoseThatRequireLeader(): void {
    for (const open of [...this.#streams]) {
      if (!open.requireLeader) continue;
      open.call.end(etcdError('noLeader'));
      this.#close(open);
    }
  }

  #close(open: OpenStream): void {
    this.#streams.delete(open);
    if (open.progressTimer !== 0) this.#host.process.cancel(open.progressTimer);
    open.stream.close();
  }
}

function responseBytes(response: WatchResponse): number {
  let bytes = RESPONSE_BYTES;
  for (const event of response.events) bytes += eventBytes(event);
  return bytes;
}

/** Name of a gRPC code as error texts print it. */
function grpcName(code: number): string {
  switch (code) {
    case 3:
      return 'InvalidArgument';
    case 7:
      return 'PermissionDenied';
    case 16:
      return 'Unauthenticated';
    default:
      return 'Unknown';
  }
}
