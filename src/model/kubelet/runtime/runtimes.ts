import { MILLISECOND, type Micros } from '../../../sim/time.ts';

/**
 * The container runtimes: one row each. They differ in what starting costs and in how a container is isolated; the CRI is the same.
 * Costs are base and uniform jitter. containerd's and CRI-O's are those of the recordings (a container runs 0.2 to 0.6 s after its pod
 * was seen); gVisor adds its sentry (150–300 ms, gvisor.dev/docs/architecture_guide/performance), Kata a virtual machine's boot (0.6–1.5 s).
 */
export interface RuntimeKind {
  readonly name: string;
  /** As nodeInfo.containerRuntimeVersion says: '<name>://<version>'. */
  readonly version: string;
  readonly sandboxUs: Micros;
  readonly sandboxJitterUs: Micros;
  readonly createUs: Micros;
  readonly createJitterUs: Micros;
  readonly startUs: Micros;
  readonly startJitterUs: Micros;
  readonly stopSandboxUs: Micros;
  /** Memory that each sandbox takes beyond its containers. */
  readonly overheadBytes: number;
  /** shared: the host's kernel; user-space-kernel; virtual-machine. */
  readonly isolation: 'shared' | 'user-space-kernel' | 'virtual-machine';
  /** First Kubernetes minor version that no longer works with it; absent: all do. */
  readonly removedIn?: number;
}

const MIB = 1_048_576;
const ms = MILLISECOND;

export const RUNTIMES: readonly RuntimeKind[] = [
  {
    name: 'containerd',
    version: '2.1.4',
    sandboxUs: 90 * ms,
    sandboxJitterUs: 60 * ms,
    createUs: 25 * ms,
    createJitterUs: 20 * ms,
    startUs: 50 * ms,
    startJitterUs: 40 * ms,
    stopSandboxUs: 60 * ms,
    overheadBytes: MIB,
    isolation: 'shared',
  },
  {
    name: 'cri-o',
    version: '1.35.0',
    sandboxUs: 100 * ms,
    sandboxJitterUs: 60 * ms,
    createUs: 40 * ms,
    createJitterUs: 25 * ms,
    startUs: 40 * ms,
    startJitterUs: 30 * ms,
    stopSandboxUs: 60 * ms,
    overheadBytes: MIB,
    isolation: 'shared',
  },
  {
    name: 'gvisor',
    version: '20260105.0',
    sandboxUs: 250 * ms,
    sandboxJitterUs: 100 * ms,
    createUs: 30 * ms,
    createJitterUs: 20 * ms,
    startUs: 120 * ms,
    startJitterUs: 60 * ms,
    stopSandboxUs: 80 * ms,
    overheadBytes: 32 * MIB,
    isolation: 'user-space-kernel',
  },
  {
    name: 'kata',
    version: '3.24.0',
    sandboxUs: 900 * ms,
    sandboxJitterUs: 600 * ms,
    createUs: 40 * ms,
    createJitterUs: 30 * ms,
    startUs: 80 * ms,
    startJitterUs: 60 * ms,
    stopSandboxUs: 200 * ms,
    overheadBytes: 160 * MIB,
    isolation: 'virtual-machine',
  },
  {
    // The kubelet's built-in shim was removed in 1.24 (KEP-2221).
    name: 'docker',
    version: '20.10.24',
    sandboxUs: 180 * ms,
    sandboxJitterUs: 120 * ms,
    createUs: 80 * ms,
    createJitterUs: 60 * ms,
    startUs: 150 * ms,
    startJitterUs: 100 * ms,
    stopSandboxUs: 120 * ms,
    overheadBytes: MIB,
    isolation: 'shared',
    removedIn: 24,
  },
];

/** Name of the program on a host that serves the CRI: gVisor and Kata are shims below containerd. */
export function runtimeProgram(runtime: string, host: string): string {
  return `${runtime === 'cri-o' ? 'crio' : runtime === 'docker' ? 'dockerd' : 'containerd'}-${host}`;
}

/** The runtime of that name, for a kubelet of this minor version. @throws Error naming what would be right. */
export function runtimeNamed(name: string, kubernetesMinor: number): RuntimeKind {
  const kind = RUNTIMES.find((runtime) => runtime.name === name);
  const usable = RUNTIMES.filter((runtime) => runtime.removedIn === undefined || kubernetesMinor < runtime.removedIn);
  if (kind === undefined) throw new Error(`no container runtime "${name}"; there are: ${usable.map((runtime) => runtime.name).join(', ')}`);
  if (kind.removedIn !== undefined && kubernetesMinor >= kind.removedIn) {
    throw new Error(
      `container runtime "${name}" works with Kubernetes below 1.${kind.removedIn} only (this is 1.${kubernetesMinor}); use one of: ${usable.map((runtime) => runtime.name).join(', ')}`,
    );
  }
  return kind;
}

/** The same runtime on a machine that is slower by that factor. */
export function slowed(kind: RuntimeKind, factor: number): RuntimeKind {
  if (factor === 1) return kind;
  const scaled = (us: Micros): Micros => Math.round(us * factor);
  return {
    ...kind,
    sandboxUs: scaled(kind.sandboxUs),
    sandboxJitterUs: scaled(kind.sandboxJitterUs),
    createUs: scaled(kind.createUs),
    createJitterUs: scaled(kind.createJitterUs),
    startUs: scaled(kind.startUs),
    startJitterUs: scaled(kind.startJitterUs),
    stopSandboxUs: scaled(kind.stopSandboxUs),
  };
}
