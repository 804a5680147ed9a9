import type { Process } from '../../../sim/process.ts';
import type { Task } from '../../../sim/task.ts';
import { SECOND } from '../../../sim/time.ts';
import type { ApiObject, Json } from '../../../model/api/object.ts';
import type { PatchType } from '../../../model/api/request.ts';
import type { Pod } from '../../../model/api/types.ts';
import {
  CONFIG_MAPS,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  type Resource,
  RUNTIME_CLASSES,
  SECRETS,
} from '../../../model/client/resources.ts';
import type { Client } from '../../../model/client/typed-client.ts';
import type { KubeletConfig } from '../../../model/kubelet/config.ts';
import { CriClient } from '../../../model/kubelet/cri.ts';
import { type Bench, NODE_NAME } from './bench.ts';
import type { Observer } from './observer.ts';
import type { Step } from './recording.ts';

const RESOURCES: Readonly<Record<string, Resource>> = {
  Pod: PODS,
  ConfigMap: CONFIG_MAPS,
  Secret: SECRETS,
  PersistentVolumeClaim: PERSISTENT_VOLUME_CLAIMS,
  RuntimeClass: RUNTIME_CLASSES,
} as unknown as Readonly<Record<string, Resource>>;

const MIB = 1_048_576;

/** Does what a recording's steps say. */
export class StepPlayer {
  /** What the API server refused, or what this player does not know how to do. */
  readonly refused: string[] = [];
  readonly #bench: Bench;
  readonly #observer: Observer;
  readonly #namespace: string;
  readonly #client: Client;

  constructor(bench: Bench, observer: Observer, namespace: string) {
    this.#bench = bench;
    this.#observer = observer;
    this.#namespace = namespace;
    this.#client = bench.client;
  }

  #script(task: () => Task<void>): void {
    this.#bench.user.spawn('step', task());
  }

  play(step: Step): void {
    const namespace = this.#namespace;
    const client = this.#client;
    const refuse = (what: string, message: string) => this.refused.push(`${step.at} ${what}: ${message}`);
    switch (step.op) {
      case 'create': {
        const objects = step.objects ?? [];
        this.#script(function* () {
          for (const object of objects) {
            const resource = RESOURCES[object.kind];
            if (resource === undefined) refuse('create', `kind ${object.kind}`);
            else {
              const full = {
                ...object,
                metadata: { ...object.metadata, ...(resource.namespaced ? { namespace } : {}) },
              } as unknown as ApiObject;
              const made = yield* client.resource(resource).create(full);
              if (!made.ok) refuse(`create ${object.kind} ${object.metadata.name}`, made.message);
            }
          }
        });
        break;
      }
      case 'delete': {
        const { name = '', kind = 'Pod', grace } = step;
        this.#script(function* () {
          const options = grace === undefined ? {} : { options: { gracePeriodSeconds: grace } };
          const done = yield* client.resource(RESOURCES[kind] as Resource).delete(namespace, name, options);
          if (!done.ok) refuse(`delete ${name}`, done.message);
        });
        break;
      }
      case 'patch': {
        const { name = '', kind = 'Pod', subresource } = step;
        const type = (step.type ?? 'merge') as PatchType;
        this.#script(function* () {
          const done = yield* client
            .resource(RESOURCES[kind] as Resource)
            .patch(namespace, name, type, step.patch as Json, subresource === undefined ? {} : { subresource });
          if (!done.ok) refuse(`patch ${name}`, done.message);
        });
        break;
      }
      case 'evict': {
        const { name = '' } = step;
        this.#script(function* () {
          const done = yield* client
            .resource(PODS)
            .post(namespace, name, 'eviction', { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } });
          if (!done.ok) refuse(`evict ${name}`, done.message);
        });
        break;
      }
      case 'label': {
        this.#script(function* () {
          yield* client.resource(NODES).patch('', NODE_NAME, 'merge', { metadata: { labels: step.labels ?? {} } } as unknown as Json);
        });
        break;
      }
      case 'call':
        this.#call(step.fn ?? '', refuse);
        break;
      case 'registryAllow':
        this.#bench.registry.allowed.add(step.name ?? '');
        break;
      case 'stop':
        this.#bench.stop(step.what ?? '');
        break;
      case 'start':
        this.#bench.start(step.what ?? '', kubeletSettings(step.config));
        if (step.what === 'kubelet') this.#observer.kubeletStarted();
        else if (step.what === 'containerd') this.#observer.runtimeStarted();
        break;
      case 'static':
        this.#bench.machine.setManifest(step.file ?? '', inNamespace(step.pod as Pod, namespace));
        break;
      case 'unstatic':
        this.#bench.machine.setManifest(step.file ?? '', undefined);
        break;
      case 'killContainer':
        for (const id of this.#containersOf(String(step.pod), step.container)) this.#bench.machine.signal(id, 'SIGKILL', 'Error');
        break;
      case 'rmContainer':
        this.#script(() => this.#removeContainer(String(step.pod), step.container ?? ''));
        break;
      case 'killSandbox':
        this.#killSandboxOf(String(step.pod));
        break;
      case 'killAll':
        for (const pod of step.pods ?? []) {
          for (const id of this.#containersOf(pod, undefined)) this.#bench.machine.signal(id, 'SIGKILL', 'Error');
          this.#killSandboxOf(pod);
        }
        break;
      default:
        refuse(step.op, 'not modelled');
    }
  }

  /** Functions of the recorder: README, "Format". */
  #call(fn: string, refuse: (what: string, message: string) => void): void {
    const { machine, spec } = this.#bench;
    switch (fn) {
      case 'shutdownOn':
        this.#restartKubelet({ shutdownGracePeriodUs: 12 * SECOND, shutdownGracePeriodCriticalPodsUs: 4 * SECOND });
        break;
      case 'shutdown':
        machine.onShutdown?.();
        break;
      case 'memoryLimit':
        this.#restartKubelet(below('memory.available', spec.memoryBytes - machine.memoryUsed(), 1100));
        break;
      case 'diskLimit':
        this.#restartKubelet(below('nodefs.available', spec.ephemeralStorageBytes - machine.diskUsed(), 1300));
        break;
      default:
        refuse(fn, 'not modelled');
    }
  }

  #restartKubelet(settings: Partial<KubeletConfig>): void {
    this.#bench.stop('kubelet');
    this.#bench.start('kubelet', settings);
  }

  *#removeContainer(pod: string, container: string): Task<void> {
    const cri = new CriClient(this.#bench.host.process(`kubelet-${NODE_NAME}`) as Process);
    yield* cri.call('RemoveContainer', { containerId: this.#bench.machine.endedOf(this.#observer.uidOf(pod), container) ?? '' });
  }

  #containersOf(pod: string, container: string | undefined): readonly string[] {
    return this.#bench.machine
      .runningOf(this.#observer.uidOf(pod))
      .filter((running) => container === undefined || running.container.name === container)
      .map((running) => running.id);
  }

  #killSandboxOf(pod: string): void {
    const { machine } = this.#bench;
    for (const id of machine.sandboxesOf(this.#observer.uidOf(pod))) machine.killSandbox(id);
  }
}

/** The recorder writes manifests of its scenario's namespace. */
function inNamespace(pod: Pod, namespace: string): Pod {
  return { ...pod, metadata: { ...pod.metadata, namespace } };
}

/** A threshold so many MiB below what is free now. */
function below(signal: string, freeBytes: number, mib: number): Partial<KubeletConfig> {
  return {
    evictionHard: { [signal]: String(freeBytes - mib * MIB) },
    evictionPressureTransitionPeriodUs: 15 * SECOND,
  };
}

function kubeletSettings(config: Readonly<Record<string, unknown>> | undefined): Partial<KubeletConfig> {
  if (config === undefined) return {};
  const crash = config['crashLoopBackOff'] as { readonly maxContainerRestartPeriod?: string } | undefined;
  return {
    ...(crash?.maxContainerRestartPeriod === undefined
      ? {}
      : { crashLoopBackOffMaxUs: Number.parseInt(crash.maxContainerRestartPeriod, 10) * SECOND }),
    ...(config['maxPods'] === undefined ? {} : { maxPods: config['maxPods'] as number }),
    ...(config['serializeImagePulls'] === undefined ? {} : { serializeImagePulls: config['serializeImagePulls'] as boolean }),
    ...(config['maxParallelImagePulls'] === undefined ? {} : { maxParallelImagePulls: config['maxParallelImagePulls'] as number }),
  };
}
