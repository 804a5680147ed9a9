import type { Program } from '../../../sim/host.ts';
import { hashText } from '../../../sim/mix.ts';
import type { Process } from '../../../sim/process.ts';
import { type ServerCall, serveRpc } from '../../../sim/rpc.ts';
import { type Task, suspend } from '../../../sim/task.ts';
import { SECOND, type Micros } from '../../../sim/time.ts';
import type { AppOutcome, BehaviourResolver } from '../app.ts';
import {
  CRI_PORT,
  type ContainerConfig,
  type ContainerRecord,
  type CriAnswer,
  criError,
  type CriMethod,
  type CriRequest,
  type CriResult,
  type PodRecords,
  type RecordsMessage,
  type SandboxRecord,
} from '../cri.ts';
import { ImageStore } from './image-store.ts';
import type { Machine } from './machine.ts';
import { PodAddresses } from './pod-addresses.ts';
import { RecordStore } from './record-store.ts';
import type { ImageManifest } from './registry.ts';
import { type RuntimeKind, runtimeProgram } from './runtimes.ts';

export interface ContainerRuntimeOptions {
  readonly machine: Machine;
  readonly kind: RuntimeKind;
  /** Operating system of the node: what images it asks for. */
  readonly os: 'linux' | 'windows';
  readonly podCidr: string;
  readonly behaviours: BehaviourResolver;
  readonly preloadedImages: readonly { readonly name: string; readonly manifest: ImageManifest }[];
  /** Handlers of RuntimeClasses that are configured beyond the default. */
  readonly runtimeHandlers: readonly string[];
}

/** The program of a node's container runtime: containerd, CRI-O and the like, by its row in the table of runtimes. */
export function containerRuntime(options: ContainerRuntimeOptions): Program {
  const { host } = options.machine;
  return {
    name: runtimeProgram(options.kind.name, host.name),
    restartAfterUs: 5 * SECOND,
    start(process) {
      new ContainerRuntime(process, options).start();
    },
  };
}

type Handlers = { readonly [M in CriMethod]: (request: CriRequest<M>) => Task<CriResult<CriAnswer<M>>> };

const done: CriResult<undefined> = { ok: true, value: undefined };

/** A running runtime. Long because one method answers each CRI call, and all of them change the same records. */
class ContainerRuntime {
  readonly #process: Process;
  readonly #options: ContainerRuntimeOptions;
  readonly #machine: Machine;
  readonly #images: ImageStore;
  readonly #records: RecordStore;
  readonly #addresses: PodAddresses;
  readonly #configs = new Map<string, ContainerConfig>();
  readonly #exitWaiters = new Map<string, (() => void)[]>();
  readonly #followers = new Set<ServerCall>();
  /** Sandboxes whose process died: what is left of their networks is taken down when they are stopped. */
  readonly #died = new Set<string>();

  constructor(process: Process, options: ContainerRuntimeOptions) {
    this.#process = process;
    this.#options = options;
    this.#machine = options.machine;
    this.#images = new ImageStore(process, options.preloadedImages, options.os);
    this.#records = new RecordStore(process);
    this.#addresses = new PodAddresses(options.podCidr);
  }

  start(): void {
    this.#recover();
    const process = this.#process;
    this.#machine.onExit = (id) => process.deliver(0, process.world.calibration.resumeUs, () => this.#exited(id), undefined, undefined);
    this.#machine.onSandboxDeath = (id) =>
      process.deliver(0, process.world.calibration.resumeUs, () => this.#sandboxDied(id), undefined, undefined);
    const handlers = this.#handlers() as { readonly [method: string]: (request: unknown) => Task<CriResult<unknown>> };
    serveRpc(process, process.host.name, CRI_PORT, {
      call: (method, body, call) => {
        const handler = handlers[method];
        if (handler === undefined) call.answer(criError('Unimplemented', `unknown method ${method}`));
        else {
          const run = process.spawn(method, handler(body), (result) => call.answer(result));
          // The caller is gone: what it asked for is given up (its context is cancelled).
          call.onCancel = () => run.cancel();
        }
      },
      open: (_method, _body, call) => {
        this.#followers.add(call);
        call.onCancel = () => this.#followers.delete(call);
        call.send({ all: true, pods: this.#records.all() } satisfies RecordsMessage);
      },
    });
  }

  /** Reads the records and asks the kernel and the shims what became of them. */
  #recover(): void {
    for (const pod of this.#records.all()) {
      for (const sandbox of pod.sandboxes) {
        if (sandbox.state !== 'ready') continue;
        if (this.#machine.sandboxLives(sandbox.id)) {
          if (sandbox.ip !== '') this.#addresses.occupy(sandbox.ip, sandbox.id);
        } else {
          this.#died.add(sandbox.id);
          this.#setSandbox({ ...sandbox, state: 'not-ready', ip: '' });
        }
      }
      for (const record of pod.containers) {
        // "Created" may be all that the disk kept of a container that ran when the power failed.
        if (record.state === 'exited' || (record.state === 'created' && this.#machine.sandboxLives(record.sandboxId))) continue;
        const running = this.#machine.container(record.id);
        if (running?.exit !== undefined) this.#exited(record.id);
        else if (running === undefined) {
          // containerd's recovery: a task that is not there any more ended in an unknown way (code 255, reason Unknown).
          const startedAtUs = record.startedAtUs === 0 ? record.createdAtUs : record.startedAtUs;
          this.#setContainer({
            ...record,
            state: 'exited',
            startedAtUs,
            finishedAtUs: this.#process.wall(),
            exitCode: 255,
            reason: 'Unknown',
          });
        }
      }
    }
  }

  #handlers(): Handlers {
    return {
      RunPodSandbox: (request) => this.#runPodSandbox(request),
      StopPodSandbox: (request) => this.#stopPodSandbox(request.sandboxId),
      RemovePodSandbox: (request) => this.#removePodSandbox(request.sandboxId),
      CreateContainer: (request) => this.#createContainer(request),
      StartContainer: (request) => this.#startContainer(request.containerId),
      StopContainer: (request) => this.#stopContainer(request.containerId, request.timeoutUs, request.signal ?? 'SIGTERM'),
      RemoveContainer: (request) => this.#removeContainer(request.containerId),
      UpdateContainerResources: (request) => this.#updateResources(request),
      ExecSync: (request) => this.#exec(request),
      ImageStatus: (request) => this.#answer(this.#images.find(request.image)),
      PullImage: (request) => this.#images.pull(request.image, request.credentials),
      RemoveImage: (request) => {
        this.#images.remove(request.image);
        return this.#answer(undefined);
      },
      ListImages: () => this.#answer(this.#images.list()),
      Version: () => this.#answer({ runtimeName: this.#options.kind.name, runtimeVersion: this.#options.kind.version }),
    };
  }

  // biome-ignore lint/correctness/useYield: a handler that answers at once
  *#answer<T>(value: T): Task<CriResult<T>> {
    return { ok: true, value };
  }

  *#costs(baseUs: Micros, jitterUs: Micros): Task<void> {
    yield* this.#process.sleep(baseUs + this.#process.random.below(jitterUs + 1));
  }

  *#runPodSandbox(request: CriRequest<'RunPodSandbox'>): Task<CriResult<CriAnswer<'RunPodSandbox'>>> {
    const { pod, attempt, runtimeHandler } = request;
    const { kind, runtimeHandlers } = this.#options;
    if (runtimeHandler !== '' && !runtimeHandlers.includes(runtimeHandler)) {
      return criError('Unknown', `failed to get sandbox runtime: no runtime for "${runtimeHandler}" is configured`);
    }
    const uid = pod.metadata.uid ?? '';
    const id = longId(`sandbox/${uid}/${attempt}`);
    yield* this.#costs(kind.sandboxUs, kind.sandboxJitterUs);
    const hostNetwork = pod.spec.hostNetwork === true;
    const ip = hostNetwork ? '' : this.#addresses.take(id);
    if (ip === undefined) {
      return criError(
        'Unknown',
        `failed to setup network for sandbox "${id}": plugin type="bridge" failed (add): failed to allocate for range 0: no IP addresses available in range set`,
      );
    }
    this.#machine.addSandbox(id, uid, ip);
    this.#setSandbox({
      id,
      podUid: uid,
      namespace: pod.metadata.namespace ?? '',
      name: pod.metadata.name ?? '',
      attempt,
      createdAtUs: this.#process.wall(),
      state: 'ready',
      ip,
      hostNetwork,
    });
    return { ok: true, value: { sandboxId: id, ip } };
  }

  *#stopPodSandbox(sandboxId: string): Task<CriResult<undefined>> {
    const sandbox = this.#records.sandbox(sandboxId);
    if (sandbox === undefined) return done;
    if (sandbox.state === 'not-ready') {
      if (this.#died.delete(sandboxId)) yield* this.#costs(this.#options.kind.stopSandboxUs, this.#options.kind.stopSandboxUs >> 1);
      return done;
    }
    for (const container of this.#records.containersOf(sandboxId)) {
      if (container.state === 'running') yield* this.#stopContainer(container.id, 0, 'SIGKILL');
    }
    yield* this.#costs(this.#options.kind.stopSandboxUs, this.#options.kind.stopSandboxUs >> 1);
    const now = this.#records.sandbox(sandboxId);
    if (now?.state === 'ready') this.#sandboxStopped(now);
    return done;
  }

  #sandboxStopped(sandbox: SandboxRecord): void {
    if (sandbox.ip !== '') this.#addresses.free(sandbox.ip);
    this.#machine.removeSandbox(sandbox.id);
    this.#setSandbox({ ...sandbox, state: 'not-ready', ip: '' });
  }

  #sandboxDied(id: string): void {
    const sandbox = this.#records.sandbox(id);
    if (sandbox?.state !== 'ready') return;
    this.#died.add(id);
    this.#sandboxStopped(sandbox);
  }

  *#removePodSandbox(sandboxId: string): Task<CriResult<undefined>> {
    const sandbox = this.#records.sandbox(sandboxId);
    if (sandbox === undefined) return done;
    yield* this.#stopPodSandbox(sandboxId);
    for (const container of this.#records.containersOf(sandboxId)) this.#forgetContainer(container.id);
    this.#publish(this.#records.removeSandbox(sandboxId));
    return done;
  }

  *#createContainer(config: ContainerConfig): Task<CriResult<CriAnswer<'CreateContainer'>>> {
    const sandbox = this.#records.sandbox(config.sandboxId);
    if (sandbox === undefined) return criError('NotFound', `failed to find sandbox id "${config.sandboxId}": not found`);
    yield* this.#costs(this.#options.kind.createUs, this.#options.kind.createJitterUs);
    const { container } = config;
    const id = longId(`${config.sandboxId}/${container.name}/${config.attempt}`);
    this.#configs.set(id, config);
    this.#setContainer({
      id,
      sandboxId: config.sandboxId,
      podUid: sandbox.podUid,
      name: container.name,
      role: config.role,
      attempt: config.attempt,
      image: config.image,
      imageId: config.imageId,
      specHash: config.specHash,
      state: 'created',
      createdAtUs: this.#process.wall(),
      startedAtUs: 0,
      finishedAtUs: 0,
      exitCode: 0,
      reason: '',
      message: '',
      resources: container.resources,
    });
    return { ok: true, value: { containerId: id } };
  }

  *#startContainer(id: string): Task<CriResult<undefined>> {
    const config = this.#configs.get(id);
    const record = this.#records.container(id);
    if (record === undefined || config === undefined)
      return criError('NotFound', `an error occurred when try to find container "${id}": not found`);
    yield* this.#costs(this.#options.kind.startUs, this.#options.kind.startJitterUs);
    this.#configs.delete(id);
    const behaviour = this.#options.behaviours(config.pod, config.container, config.role);
    const failure = behaviour.startError?.(config.container);
    const now = this.#process.wall();
    if (failure !== undefined) {
      this.#setContainer({ ...record, state: 'exited', finishedAtUs: now, exitCode: 128, reason: 'StartError', message: failure });
      return criError('Unknown', failure);
    }
    const sandbox = this.#records.sandbox(record.sandboxId);
    if (sandbox?.state !== 'ready') return criError('Unknown', 'sandbox container is not running');
    const address = sandbox.hostNetwork ? this.#process.host.name : sandbox.ip;
    this.#setContainer({ ...record, state: 'running', startedAtUs: now });
    // A runtime that died at one of the effects above starts nothing any more.
    if (!this.#process.effect('send')) return done;
    this.#machine.start({
      id,
      pod: config.pod,
      container: config.container,
      attempt: config.attempt,
      image: config.image,
      address,
      env: config.env,
      behaviour,
    });
    return done;
  }

  *#stopContainer(id: string, timeoutUs: Micros, signal: string): Task<CriResult<undefined>> {
    const running = this.#machine.container(id);
    const record = this.#records.container(id);
    if (record === undefined) return criError('NotFound', `an error occurred when try to find container "${id}": not found`);
    if (running === undefined || running.exit !== undefined || record.state !== 'running') return done;
    if (timeoutUs > 0 && signal !== 'SIGKILL') {
      if (this.#process.effect('send')) this.#machine.signal(id, signal);
      const ended = yield* this.#waitForExit(id, timeoutUs);
      if (ended) return done;
    }
    if (this.#process.effect('send')) this.#machine.signal(id, 'SIGKILL');
    yield* this.#waitForExit(id, 2 * 60 * SECOND);
    return done;
  }

  /** False when it has not ended in time. */
  *#waitForExit(id: string, limitUs: Micros): Task<boolean> {
    if (this.#records.container(id)?.state !== 'running') return true;
    const process = this.#process;
    return yield* suspend<boolean>((resolve) => {
      const timer = process.after(limitUs, () => resolve(false));
      const waiters = this.#exitWaiters.get(id) ?? [];
      waiters.push(() => {
        process.cancel(timer);
        resolve(true);
      });
      this.#exitWaiters.set(id, waiters);
      return () => process.cancel(timer);
    });
  }

  #exited(id: string): void {
    const record = this.#records.container(id);
    const exit = this.#machine.container(id)?.exit;
    if (record === undefined || exit === undefined || record.state === 'exited') return;
    this.#setContainer({
      ...record,
      state: 'exited',
      finishedAtUs: exit.atUs,
      exitCode: exit.code,
      reason: exit.reason,
      message: exit.message,
    });
    const waiters = this.#exitWaiters.get(id);
    this.#exitWaiters.delete(id);
    for (const waiter of waiters ?? []) waiter();
  }

  *#removeContainer(id: string): Task<CriResult<undefined>> {
    const record = this.#records.container(id);
    if (record === undefined) return done;
    if (record.state === 'running') yield* this.#stopContainer(id, 0, 'SIGKILL');
    this.#forgetContainer(id);
    return done;
  }

  #forgetContainer(id: string): void {
    this.#machine.forget(id);
    this.#configs.delete(id);
    this.#publish(this.#records.removeContainer(id));
  }

  *#updateResources(request: CriRequest<'UpdateContainerResources'>): Task<CriResult<undefined>> {
    yield* this.#costs(this.#options.kind.createUs >> 1, this.#options.kind.createJitterUs >> 1);
    const record = this.#records.container(request.containerId);
    if (record === undefined) return criError('NotFound', `container "${request.containerId}" not found`);
    this.#setContainer({ ...record, resources: request.resources });
    return done;
  }

  *#exec(request: CriRequest<'ExecSync'>): Task<CriResult<CriAnswer<'ExecSync'>>> {
    const running = this.#machine.container(request.containerId);
    if (running?.app === undefined || running.exit !== undefined)
      return criError('NotFound', `failed to exec in container: container is in CONTAINER_EXITED state`);
    yield* this.#costs(this.#options.kind.createUs, this.#options.kind.createJitterUs);
    if (running.exit !== undefined) return criError('NotFound', `failed to exec in container: container is in CONTAINER_EXITED state`);
    const { outcome, afterUs, stable, cancel } = running.app.answer({ kind: 'exec', command: request.command });
    const paused = running.process.state === 'paused';
    const timedOut = paused || (request.timeoutUs > 0 && afterUs >= request.timeoutUs);
    let finished = false;
    let ended = false;
    try {
      if (timedOut || afterUs === Number.POSITIVE_INFINITY) yield* this.#process.sleep(request.timeoutUs);
      else {
        // The main process may end first; what was started in its namespace dies with it.
        if (afterUs > 0) ended = yield* this.#waitForExit(request.containerId, afterUs);
        finished = !ended;
      }
    } finally {
      if (!finished) cancel?.();
    }
    if (ended) {
      return { ok: true, value: { outcome: { kind: 'exit', code: 137, output: '' } satisfies AppOutcome, timedOut: false, stable: false } };
    }
    return { ok: true, value: { outcome, timedOut, stable } };
  }

  #setSandbox(sandbox: SandboxRecord): void {
    this.#publish(this.#records.setSandbox(sandbox));
  }

  #setContainer(container: ContainerRecord): void {
    this.#publish(this.#records.setContainer(container));
  }

  #publish(pod: PodRecords | undefined): void {
    if (pod === undefined || this.#followers.size === 0) return;
    const message: RecordsMessage = { all: false, pods: [pod] };
    for (const follower of this.#followers) follower.send(message);
  }
}

/** 64 hexadecimal digits, as runtimes name sandboxes and containers. */
function longId(text: string): string {
  let out = '';
  for (let seed = 11; out.length < 64; seed++) out += hashText(text, seed).toString(16).padStart(8, '0');
  return out;
}
