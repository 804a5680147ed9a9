import { RpcClient } from '../../sim/rpc.ts';
import type { Process } from '../../sim/process.ts';
import type { Task } from '../../sim/task.ts';
import { MINUTE, type Micros } from '../../sim/time.ts';
import type { Container, Pod } from '../api/types.ts';
import type { AppOutcome, ContainerRole } from './app.ts';

/**
 * The Container Runtime Interface (k8s.io/cri-api): what a kubelet asks of containerd, CRI-O and the like, as calls over the host's
 * own socket. Times in records are wall-clock microseconds of the host.
 */

/** Port of the runtime's socket on the host's name. */
export const CRI_PORT = 'cri';

export type SandboxState = 'ready' | 'not-ready';

export interface SandboxRecord {
  readonly id: string;
  readonly podUid: string;
  readonly namespace: string;
  readonly name: string;
  readonly attempt: number;
  readonly createdAtUs: Micros;
  readonly state: SandboxState;
  /** '' once stopped, and for pods on the host's network. */
  readonly ip: string;
  readonly hostNetwork: boolean;
}

export type ContainerRecordState = 'created' | 'running' | 'exited' | 'unknown';

export interface ContainerRecord {
  readonly id: string;
  readonly sandboxId: string;
  readonly podUid: string;
  readonly name: string;
  readonly role: ContainerRole;
  /** Restart number. */
  readonly attempt: number;
  readonly image: string;
  readonly imageId: string;
  /** What the kubelet compares to see a changed definition. */
  readonly specHash: string;
  readonly state: ContainerRecordState;
  readonly createdAtUs: Micros;
  readonly startedAtUs: Micros;
  readonly finishedAtUs: Micros;
  readonly exitCode: number;
  /** 'Completed', 'Error', 'OOMKilled', 'StartError', 'Unknown'. */
  readonly reason: string;
  readonly message: string;
  /** Resources in force, as the container was created or updated with. */
  readonly resources: Container['resources'];
}

/** All that a runtime knows of one pod; a new object at every change. Newest first. */
export interface PodRecords {
  readonly podUid: string;
  readonly namespace: string;
  readonly name: string;
  readonly sandboxes: readonly SandboxRecord[];
  readonly containers: readonly ContainerRecord[];
}

export interface ContainerConfig {
  readonly sandboxId: string;
  readonly pod: Pod;
  readonly container: Container;
  readonly role: ContainerRole;
  readonly attempt: number;
  readonly image: string;
  readonly imageId: string;
  readonly specHash: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface ImageRecord {
  readonly id: string;
  /** As statuses name it: 'repository@digest' of a pulled image, the digest alone of one that was loaded. */
  readonly reference: string;
  readonly names: readonly string[];
  readonly sizeBytes: number;
  /** User that the image runs as: '' is root. */
  readonly user: string;
}

export interface PullCredentials {
  readonly username: string;
  readonly password: string;
}

/** Every call, by its name in the CRI, with its answer's type. */
export interface CriCalls {
  RunPodSandbox: {
    readonly request: { readonly pod: Pod; readonly attempt: number; readonly runtimeHandler: string };
    readonly answer: { readonly sandboxId: string; readonly ip: string };
  };
  StopPodSandbox: { readonly request: { readonly sandboxId: string }; readonly answer: undefined };
  RemovePodSandbox: { readonly request: { readonly sandboxId: string }; readonly answer: undefined };
  CreateContainer: { readonly request: ContainerConfig; readonly answer: { readonly containerId: string } };
  StartContainer: { readonly request: { readonly containerId: string }; readonly answer: undefined };
  /** SIGTERM, then SIGKILL after `timeoutUs`. Answers when the container has ended. */
  StopContainer: {
    readonly request: { readonly containerId: string; readonly timeoutUs: Micros; readonly signal?: string };
    readonly answer: undefined;
  };
  RemoveContainer: { readonly request: { readonly containerId: string }; readonly answer: undefined };
  UpdateContainerResources: {
    readonly request: { readonly containerId: string; readonly resources: Container['resources'] };
    readonly answer: undefined;
  };
  ExecSync: {
    readonly request: { readonly containerId: string; readonly command: readonly string[]; readonly timeoutUs: Micros };
    readonly answer: { readonly outcome: AppOutcome; readonly timedOut: boolean; readonly stable: boolean };
  };
  ImageStatus: { readonly request: { readonly image: string }; readonly answer: ImageRecord | undefined };
  PullImage: { readonly request: { readonly image: string; readonly credentials?: PullCredentials }; readonly answer: ImageRecord };
  RemoveImage: { readonly request: { readonly image: string }; readonly answer: undefined };
  ListImages: { readonly request: undefined; readonly answer: readonly ImageRecord[] };
  Version: { readonly request: undefined; readonly answer: { readonly runtimeName: string; readonly runtimeVersion: string } };
}

export type CriMethod = keyof CriCalls;
export type CriRequest<M extends CriMethod = CriMethod> = CriCalls[M]['request'];
export type CriAnswer<M extends CriMethod = CriMethod> = CriCalls[M]['answer'];

/** A gRPC answer of the runtime. `message` is the whole error text as a Go client prints it. */
export type CriResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: string; readonly message: string };

export function criError(code: string, description: string): { readonly ok: false; readonly code: string; readonly message: string } {
  return { ok: false, code, message: `rpc error: code = ${code} desc = ${description}` };
}

/** What follows a runtime's containers hears. The first message names all pods. */
export interface PodRecordsHandlers {
  onRecords(records: readonly PodRecords[], all: boolean): void;
  onLost(): void;
}

/** Messages of the record stream. */
export interface RecordsMessage {
  readonly all: boolean;
  readonly pods: readonly PodRecords[];
}

/** Upstream remote runtime service: every call but the long ones ends after 2 minutes (runtimeRequestTimeout). */
const REQUEST_TIMEOUT: Micros = 2 * MINUTE;

/** The kubelet's client of its runtime. */
export class CriClient {
  readonly #client: RpcClient;

  constructor(process: Process) {
    this.#client = new RpcClient(process, process.world.network.endpoint(process.host.name, CRI_PORT));
  }

  get connected(): boolean {
    return this.#client.connected;
  }

  *call<M extends CriMethod>(method: M, request: CriRequest<M>, timeoutUs?: Micros): Task<CriResult<CriAnswer<M>>> {
    const limit = timeoutUs ?? (method === 'PullImage' ? undefined : REQUEST_TIMEOUT);
    const result = yield* this.#client.call<CriResult<CriAnswer<M>>>(method, request, limit === undefined ? {} : { timeoutUs: limit });
    if (result.ok) return result.value;
    switch (result.error) {
      case 'timeout':
        return criError('DeadlineExceeded', 'context deadline exceeded');
      case 'closed':
        return criError('Unavailable', 'error reading from server: EOF');
      case 'refused':
      case 'connect-timeout':
        return criError(
          'Unavailable',
          'connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: no such file or directory"',
        );
    }
  }

  /** Follows all containers of the runtime, until the connection is lost. */
  follow(handlers: PodRecordsHandlers): void {
    this.#client.open('records', undefined, {
      onMessage: (body) => {
        const message = body as RecordsMessage;
        handlers.onRecords(message.pods, message.all);
      },
      onEnd: () => handlers.onLost(),
    });
  }
}
