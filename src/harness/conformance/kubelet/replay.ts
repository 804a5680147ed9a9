import type { Host } from '../../../sim/host.ts';
import type { Process } from '../../../sim/process.ts';
import type { Task } from '../../../sim/task.ts';
import { SECOND, type Micros } from '../../../sim/time.ts';
import { World } from '../../../sim/world.ts';
import { builtInKinds } from '../../../model/api/kinds/registry.ts';
import type { ApiObject, Json } from '../../../model/api/object.ts';
import type { PatchType } from '../../../model/api/request.ts';
import type { Event, Pod } from '../../../model/api/types.ts';
import { MemoryStorage } from '../../../model/apiserver/memory-storage.ts';
import { apiServer } from '../../../model/apiserver/server.ts';
import { Informer } from '../../../model/client/informer.ts';
import {
  CONFIG_MAPS,
  EVENTS,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  type Resource,
  RUNTIME_CLASSES,
  SECRETS,
} from '../../../model/client/resources.ts';
import { ApiTransport } from '../../../model/client/transport.ts';
import { Client } from '../../../model/client/typed-client.ts';
import { NO_DEFECTS } from '../../../model/defects.ts';
import { createFacts } from '../../../model/facts.ts';
import type { KubeletConfig, NodeSpec } from '../../../model/kubelet/config.ts';
import { installNode } from '../../../model/kubelet/node.ts';
import { CriClient } from '../../../model/kubelet/cri.ts';
import type { Machine } from '../../../model/kubelet/runtime/machine.ts';
import {
  digestOf,
  type ImageManifest,
  type ManifestAnswer,
  REGISTRY_HOST,
  registryProgram,
} from '../../../model/kubelet/runtime/registry.ts';
import { goldenProgram } from './golden-program.ts';
import { changes, type Fields, fieldsOf } from './pod-changes.ts';
import type { Recording, Step } from './recording.ts';

export interface SeenUpdate {
  readonly t: number;
  readonly set: Record<string, unknown>;
}

export interface SeenEvent {
  t: number;
  readonly object: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly field: string;
  count: number;
}

/** What the simulated kubelet did with a scenario, in the recording's terms. */
export interface Replay {
  readonly pods: Readonly<Record<string, readonly SeenUpdate[]>>;
  readonly events: readonly SeenEvent[];
  readonly program: Readonly<Record<string, Readonly<Record<string, readonly (readonly [number, string])[]>>>>;
  readonly refused: readonly string[];
}

const MIB = 1_048_576;
const NODE = 'node-1';
const RESOURCES: Readonly<Record<string, Resource>> = {
  Pod: PODS,
  ConfigMap: CONFIG_MAPS,
  Secret: SECRETS,
  PersistentVolumeClaim: PERSISTENT_VOLUME_CLAIMS,
  RuntimeClass: RUNTIME_CLASSES,
} as unknown as Readonly<Record<string, Resource>>;

const spec: NodeSpec = {
  name: NODE,
  internalIp: '192.168.0.10',
  podCidr: '10.244.0.0/24',
  os: 'linux',
  arch: 'amd64',
  cpuMilli: 2000,
  memoryBytes: 8192 * MIB,
  ephemeralStorageBytes: 40_960 * MIB,
  labels: {},
  taints: [],
  kubeletVersion: 'v1.35.4',
};

function image(name: string, user = ''): { readonly name: string; readonly manifest: ImageManifest } {
  return { name, manifest: { digest: digestOf(name), layers: [{ digest: digestOf(`${name}-layer`), sizeBytes: 3 * MIB }], user } };
}

const images = [
  image('golden/prog:v1'),
  image('golden/prog:v2'),
  image('golden/prog:latest'),
  image('golden/user:v1', '1000'),
  image('golden/named-user:v1', 'user'),
];

/**
 * Replays a scenario's steps on virtual time. `phaseUs`: where in the kubelet's second the scenario starts; `relistUs`: how far its looks at
 * the runtime are apart (a second and as long as a look takes). The recordings tell neither; any is right.
 */
export function replay(recording: Recording, phaseUs: Micros, relistUs: Micros, seed: string): Replay {
  const run = new Run(recording, phaseUs, relistUs, seed);
  return run.finish();
}

class Run {
  readonly #recording: Recording;
  readonly #world: World;
  readonly #host: Host;
  readonly #machine: Machine;
  readonly #start: Micros;
  readonly #allowed = new Set<string>();
  readonly #pods: Record<string, SeenUpdate[]> = {};
  readonly #fields = new Map<string, { readonly uid: string; readonly key: string; fields: Fields }>();
  readonly #names = new Map<string, string>();
  readonly #ids = new Map<string, Map<string, string>>();
  readonly #ips = new Map<string, Map<string, string>>();
  readonly #events = new Map<string, SeenEvent>();
  readonly #program: Record<string, Record<string, [number, string][]>> = {};
  readonly #refused: string[] = [];
  #client: Client | undefined;
  #user: Process | undefined;
  #config: Partial<KubeletConfig> = {};
  readonly #relistUs: Micros;

  constructor(recording: Recording, phaseUs: Micros, relistUs: Micros, seed: string) {
    this.#recording = recording;
    this.#relistUs = relistUs;
    this.#world = new World({ seed });
    const world = this.#world;
    const facts = createFacts();
    const storage = new MemoryStorage();
    world
      .addHost({ name: 'cp-0', zone: 'zone-a' })
      .install(apiServer({ name: 'api-0', address: 'cp-0', storage: () => storage, facts, kinds: builtInKinds }));
    world.addHost({ name: REGISTRY_HOST, zone: 'zone-a' }).install(
      registryProgram({
        bytesPerSecond: 1e9,
        manifestUs: 20_000,
        manifest: (name, request) => this.#manifest(name, request.password),
        layerUs: (name) => layerTime(name),
      }),
    );
    const servers = [world.network.endpoint('cp-0', '6443')];
    this.#host = world.addHost({ name: NODE, zone: 'zone-a' });
    const holder = this;
    this.#machine = installNode(this.#host, {
      spec,
      servers,
      facts,
      defects: NO_DEFECTS,
      behaviours: () => goldenProgram,
      // Read anew at every start of the kubelet: steps restart it with other settings.
      get kubelet(): Partial<KubeletConfig> {
        return { maxPods: 250, plegRelistPeriodUs: holder.#relistUs, ...holder.#config };
      },
      preloadedImages: images,
    });
    this.#machine.onLog = (pod, container, _attempt, line) => this.#logged(pod, container, line);
    facts.containerStopped.subscribe((_node, key, uid, container, _id, code) => this.#died(key, uid, container, code));
    world.addHost({ name: 'client-0', zone: 'zone-a' }).install({
      name: 'user-0',
      start: (process) => {
        this.#user = process;
        this.#client = new Client(
          new ApiTransport(process, { servers, user: { name: 'admin', groups: ['system:masters'] }, userAgent: 'golden' }),
        );
      },
    });
    this.#start = 90 * SECOND + phaseUs;
    world.run(this.#start - SECOND);
    this.#watch();
    world.run(this.#start);
  }

  #now(): number {
    return Math.round(((this.#world.now - this.#start) / SECOND) * 100) / 100;
  }

  #watch(): void {
    const client = this.#client as Client;
    const namespace = this.#recording.name;
    const pods = new Informer<Pod>(client.transport, PODS, { namespace, watchList: true });
    pods.addHandler({
      onAdd: (pod) => this.#podSeen(pod),
      onUpdate: (_before, pod) => this.#podSeen(pod),
      onDelete: (pod) => this.#podGone(pod),
    });
    pods.start();
    const events = new Informer<Event>(client.transport, EVENTS, { namespace, watchList: true });
    events.addHandler({ onAdd: (event) => this.#eventSeen(event), onUpdate: (_before, event) => this.#eventSeen(event) });
    events.start();
  }

  finish(): Replay {
    const steps = (fromRecording(this.#recording.steps) as readonly Step[]).toSorted((a, b) => a.at - b.at);
    for (const step of steps) {
      this.#world.run(this.#start + Math.round(step.at * SECOND));
      this.#step(step);
    }
    this.#world.run(this.#start + Math.round((this.#recording.end ?? 60) * SECOND));
    const merged = new Map<string, SeenEvent>();
    for (const event of this.#events.values()) {
      // Counts start over when the kubelet does; the recordings add them up.
      const key = [event.object, event.type, event.reason, event.message, event.field].join('|');
      const known = merged.get(key);
      if (known === undefined) merged.set(key, { ...event });
      else known.count += event.count;
    }
    const events = [...merged.values()];
    return { pods: this.#pods, events, program: this.#program, refused: this.#refused };
  }

  // --- what is seen --------------------------------------------------------------------------------------------------------------

  #keyOf(pod: Pod): string {
    const uid = pod.metadata.uid ?? '';
    const known = this.#names.get(uid);
    if (known !== undefined) return known;
    const name = pod.metadata.name ?? '';
    let key = name;
    for (let n = 2; [...this.#names.values()].includes(key); n++) key = `${name}<${n}>`;
    this.#names.set(uid, key);
    return key;
  }

  #podSeen(pod: Pod): void {
    const key = this.#keyOf(pod);
    const uid = pod.metadata.uid ?? '';
    const ids = numbered(this.#ids, uid, 'id');
    const ips = numbered(this.#ips, uid, 'podIP');
    const hostIp = pod.spec.hostNetwork === true;
    const fields = fieldsOf(pod, ids, (ip) => (hostIp ? '<hostIP>' : ip.startsWith('10.244.') ? ips(ip) : ip));
    const entry = this.#fields.get(uid);
    const set = changes(entry?.fields ?? {}, fields);
    this.#fields.set(uid, { uid, key, fields });
    if (Object.keys(set).length === 0) return;
    const list = this.#pods[key] ?? [];
    this.#pods[key] = list;
    list.push({ t: this.#now(), set });
  }

  #podGone(pod: Pod): void {
    this.#podSeen(pod);
    this.#pods[this.#keyOf(pod)]?.push({ t: this.#now(), set: { object: 'deleted' } });
  }

  #eventSeen(event: Event): void {
    const { involvedObject } = event;
    const found: SeenEvent = {
      t: this.#now(),
      object: this.#names.get(involvedObject.uid ?? '') ?? involvedObject.name ?? '',
      type: event.type ?? '',
      reason: event.reason ?? '',
      message: event.message ?? '',
      field: involvedObject.fieldPath ?? '',
      count: event.count ?? 1,
    };
    const key = event.metadata.name ?? '';
    const known = this.#events.get(key);
    if (known === undefined) this.#events.set(key, found);
    else known.count = found.count;
  }

  #logged(pod: Pod, container: string, line: string): void {
    const key = this.#names.get(pod.metadata.uid ?? '') ?? pod.metadata.name ?? '';
    const lines = this.#program[key] ?? {};
    this.#program[key] = lines;
    const list = lines[container] ?? [];
    lines[container] = list;
    list.push([this.#now(), line]);
  }

  #died(key: string, uid: string, container: string, code: number): void {
    const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: key.slice(key.indexOf('/') + 1), uid }, spec: { containers: [] } };
    this.#logged(pod, container, `died ${code}`);
  }

  // --- the registry ------------------------------------------------------------------------------------------------------------------

  #manifest(name: string, password: string | undefined): ManifestAnswer | undefined {
    if (name.startsWith(CLOSED)) {
      const url = `http://${CLOSED}/v2/x/manifests/v1`;
      return {
        ok: false,
        code: 'Unknown',
        message: `failed to pull and unpack image "${name}": failed to resolve reference "${name}": failed to do request: Head "${url}": dial tcp ${CLOSED}: connect: connection refused`,
      };
    }
    const short = name.slice(name.indexOf('/') + 1).split(/[:@]/)[0] ?? '';
    const full = name;
    if ((short.startsWith('missing-') && !this.#allowed.has(short)) || name.endsWith(':none')) {
      return {
        ok: false,
        code: 'NotFound',
        message: `failed to pull and unpack image "${full}": failed to resolve reference "${full}": ${full}: not found`,
      };
    }
    if (short.startsWith('secret-') && password !== 'pass') {
      return {
        ok: false,
        code: 'Unknown',
        message: `failed to pull and unpack image "${full}": failed to resolve reference "${full}": pulling from host ${REGISTRY} failed with status code [manifests v1]: 401 Unauthorized`,
      };
    }
    return { ok: true, manifest: image(name).manifest };
  }

  // --- steps -------------------------------------------------------------------------------------------------------------------------

  #script(task: () => Task<void>): void {
    (this.#user as Process).spawn('step', task());
  }

  #step(step: Step): void {
    const namespace = this.#recording.name;
    const client = this.#client as Client;
    const refuse = (what: string, message: string) => this.#refused.push(`${this.#now()} ${what}: ${message}`);
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
          yield* client.resource(NODES).patch('', NODE, 'merge', { metadata: { labels: step.labels ?? {} } } as unknown as Json);
        });
        break;
      }
      case 'call':
        this.#call(step.fn ?? '', refuse);
        break;
      case 'registryAllow':
        this.#allowed.add(step.name ?? '');
        break;
      case 'stop':
        this.#stop(step.what ?? '');
        break;
      case 'start':
        this.#config = kubeletSettings(step.config);
        this.#startProgram(step.what ?? '');
        break;
      case 'killContainer':
        for (const id of this.#containersOf(String(step.pod), step.container)) this.#machine.signal(id, 'SIGKILL', 'Error');
        break;
      case 'rmContainer':
        this.#script(() => this.#removeContainer(String(step.pod), step.container ?? ''));
        break;
      case 'killSandbox':
        this.#killSandboxOf(String(step.pod));
        break;
      case 'killAll':
        for (const pod of step.pods ?? []) {
          for (const id of this.#containersOf(pod, undefined)) this.#machine.signal(id, 'SIGKILL', 'Error');
          this.#killSandboxOf(pod);
        }
        break;
      default:
        refuse(step.op, 'not modelled');
    }
  }

  #call(fn: string, refuse: (what: string, message: string) => void): void {
    if (fn === 'shutdownOn') {
      this.#stop('kubelet');
      this.#config = { shutdownGracePeriodUs: 12 * SECOND, shutdownGracePeriodCriticalPodsUs: 4 * SECOND };
      this.#startProgram('kubelet');
    } else if (fn === 'shutdown') this.#machine.onShutdown?.();
    else refuse(fn, 'not modelled');
  }

  *#removeContainer(pod: string, container: string): Task<void> {
    const cri = new CriClient(this.#host.process(`kubelet-${NODE}`) as Process);
    yield* cri.call('RemoveContainer', { containerId: this.#machine.endedOf(this.#uidOf(pod), container) ?? '' });
  }

  #uidOf(pod: string): string {
    let found = '';
    for (const [uid, key] of this.#names) if (key === pod || key.startsWith(`${pod}<`)) found = uid;
    return found;
  }

  #containersOf(pod: string, container: string | undefined): readonly string[] {
    const uid = this.#uidOf(pod);
    return this.#machine
      .runningOf(uid)
      .filter((running) => container === undefined || running.container.name === container)
      .map((running) => running.id);
  }

  #killSandboxOf(pod: string): void {
    for (const id of this.#machine.sandboxesOf(this.#uidOf(pod))) this.#machine.killSandbox(id);
  }

  #programName(what: string): { readonly host: Host; readonly name: string } {
    if (what === 'kubelet') return { host: this.#host, name: `kubelet-${NODE}` };
    if (what === 'containerd') return { host: this.#host, name: `containerd-${NODE}` };
    return { host: this.#world.host('cp-0'), name: 'api-0' };
  }

  #stop(what: string): void {
    const { host, name } = this.#programName(what);
    host.process(name)?.kill('step');
  }

  #startProgram(what: string): void {
    const { host, name } = this.#programName(what);
    host.start(name);
  }
}

function numbered(all: Map<string, Map<string, string>>, uid: string, what: string): (value: string) => string {
  let known = all.get(uid);
  if (known === undefined) {
    known = new Map();
    all.set(uid, known);
  }
  const own = known;
  return (value) => {
    let label = own.get(value);
    if (label === undefined) {
      const n = own.size + 1;
      label = what === 'podIP' && n === 1 ? '<podIP>' : `<${what} ${n}>`;
      own.set(value, label);
    }
    return label;
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

/** Stand-ins for the recording's registry and for an address where nothing listens. */
export const REGISTRY = 'registry.test:5000';
export const CLOSED = 'closed.test:5001';

/** Replaces the placeholders in a recording's steps by what they stand for here. */
function fromRecording(value: unknown): unknown {
  if (typeof value === 'string') {
    const credentials = /^<credentials (.*)>$/.exec(value);
    if (credentials !== null) {
      const [username = '', password = ''] = (credentials[1] ?? '').split(':');
      return JSON.stringify({ auths: { [REGISTRY]: { username, password } } });
    }
    return value
      .replaceAll('<registry>', REGISTRY)
      .replaceAll('<closed>', CLOSED)
      .replaceAll('<digest>', digestOf('digest').slice('sha256:'.length));
  }
  if (Array.isArray(value)) return value.map(fromRecording);
  if (typeof value !== 'object' || value === null) return value;
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(value)) out[key] = fromRecording((value as Record<string, unknown>)[key]);
  return out;
}

function layerTime(name: string): Micros {
  const slow = /slow(\d+)-/.exec(name);
  return slow === null ? 50_000 : Number(slow[1]) * SECOND;
}
