import type { Process } from '../../sim/process.ts';
import type { Micros } from '../../sim/time.ts';
import type { Container, Pod } from '../api/types.ts';

/**
 * What runs inside a container, as its runtime, its kubelet and its callers meet it. The behaviours are in `workload/`; the node only
 * knows this interface.
 */

/** One question of a probe or a hook to a running app. */
export type AppRequest =
  | { readonly kind: 'http'; readonly port: number; readonly path: string; readonly scheme: 'HTTP' | 'HTTPS' }
  | { readonly kind: 'tcp'; readonly port: number }
  | { readonly kind: 'grpc'; readonly port: number; readonly service: string }
  | { readonly kind: 'exec'; readonly command: readonly string[] };

export type AppOutcome =
  | { readonly kind: 'http'; readonly status: number; readonly body: string; readonly location?: string }
  /** A TCP port took the connection. */
  | { readonly kind: 'open' }
  /** Nobody listens on the port. */
  | { readonly kind: 'refused' }
  /** Something listens, but does not speak the protocol; the client's error text. */
  | { readonly kind: 'protocol-error'; readonly message: string }
  | { readonly kind: 'grpc'; readonly status: 'SERVING' | 'NOT_SERVING' | 'NOT_FOUND' | 'UNIMPLEMENTED' }
  | { readonly kind: 'exit'; readonly code: number; readonly output: string }
  /** The command could not be run at all; the runtime's error text. */
  | { readonly kind: 'exec-error'; readonly message: string };

export interface AppAnswer {
  readonly outcome: AppOutcome;
  /** How long the app takes to answer; Infinity: never. */
  readonly afterUs: Micros;
  /**
   * The same question gets the same answer until the app calls {@link AppEnvironment.changed}: a prober whose threshold is reached need
   * not ask again. False: ask at every period.
   */
  readonly stable: boolean;
  /** Of a command: it is killed before it ends. */
  readonly cancel?: () => void;
}

/** A started app. All methods run on the container's process. */
export interface App {
  /** A signal arrived ('SIGTERM', 'SIGINT'…). SIGKILL never does. */
  signal(name: string): void;
  answer(request: AppRequest): AppAnswer;
  /** A mounted file of a volume changed its content. */
  volumeChanged?(): void;
}

/** What a container's process finds around it. */
export interface AppEnvironment {
  readonly process: Process;
  readonly pod: Pod;
  readonly container: Container;
  /** Restart number: 0 for the first run. */
  readonly attempt: number;
  /** The pod's IP. */
  readonly address: string;
  /** Environment variables as resolved by the kubelet. */
  readonly env: Readonly<Record<string, string>>;
  /** Files of volumes and of the container, by absolute path; emptyDir contents are shared between a pod's containers and outlive restarts. */
  readonly files: AppFiles;
  /** Ends the app. */
  exit(code: number): never;
  /** The app's working set is this large from now on. Beyond the container's memory limit the kernel's OOM killer ends it. */
  useMemory(bytes: number): void;
  /** Answers to probes may differ from now on. */
  changed(): void;
  /** Something that the recordings name: a start, a probe call, a signal. Costs nothing unless somebody listens. */
  log(line: string): void;
}

export interface AppFiles {
  read(path: string): string | undefined;
  /** False: the volume is full. */
  write(path: string, content: string, sizeBytes?: number): boolean;
}

/** One kind of app. */
export interface Behaviour {
  readonly name: string;
  /** The runtime cannot start it (no such command): its error. */
  readonly startError?: (container: Container) => string | undefined;
  start(environment: AppEnvironment): App;
}

export type ContainerRole = 'init' | 'sidecar' | 'main' | 'ephemeral';

/** Chooses what a container runs. */
export type BehaviourResolver = (pod: Pod, container: Container, role: ContainerRole) => Behaviour;
