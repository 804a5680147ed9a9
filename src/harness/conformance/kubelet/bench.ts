import type { Host } from '../../../sim/host.ts';
import type { Process } from '../../../sim/process.ts';
import type { Micros } from '../../../sim/time.ts';
import { World } from '../../../sim/world.ts';
import { builtInKinds } from '../../../model/api/kinds/registry.ts';
import { admissionPlugins } from '../../../model/apiserver/admission/default-plugins.ts';
import { MemoryStorage } from '../../../model/apiserver/memory-storage.ts';
import { apiServer } from '../../../model/apiserver/server.ts';
import { ApiTransport } from '../../../model/client/transport.ts';
import { Client } from '../../../model/client/typed-client.ts';
import { NO_DEFECTS } from '../../../model/defects.ts';
import { createFacts, type Facts } from '../../../model/facts.ts';
import type { KubeletConfig, NodeSpec } from '../../../model/kubelet/config.ts';
import { installNode } from '../../../model/kubelet/node.ts';
import type { Machine } from '../../../model/kubelet/runtime/machine.ts';
import { REGISTRY_HOST, registryProgram } from '../../../model/kubelet/runtime/registry.ts';
import { goldenProgram } from './golden-program.ts';
import { preloadedImages, RecordingRegistry } from './recording-registry.ts';

export const NODE_NAME = 'node-1';

const MIB = 1_048_576;

const nodeSpec: NodeSpec = {
  name: NODE_NAME,
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

/** What a recording does not tell of the machine and the moment; any of them is right. */
export interface Conditions {
  /** Where in the kubelet's second the scenario starts. */
  readonly phaseUs: Micros;
  /** How far the kubelet's looks at the runtime are apart: a second and as long as a look takes. */
  readonly relistUs: Micros;
  /** How slowly containers start: README, "a container start takes 0.2 to 0.6 s, more when many start at once". */
  readonly slowness: number;
}

/** What the recordings were made on: an API server, one node, a registry, and a user who does the steps. */
export class Bench {
  readonly world: World;
  readonly facts: Facts = createFacts();
  readonly host: Host;
  readonly machine: Machine;
  readonly registry = new RecordingRegistry();
  readonly spec = nodeSpec;
  readonly #conditions: Conditions;
  #settings: Partial<KubeletConfig> = {};
  #user: { readonly process: Process; readonly client: Client } | undefined;

  constructor(seed: string, conditions: Conditions) {
    this.#conditions = conditions;
    this.world = new World({ seed });
    const { world, facts } = this;
    const storage = new MemoryStorage();
    world.addHost({ name: 'cp-0', zone: 'zone-a' }).install(
      apiServer({
        name: 'api-0',
        address: 'cp-0',
        storage: () => storage,
        facts,
        kinds: builtInKinds,
        // As the recordings' server was set up. Namespaces are not made there.
        admission: admissionPlugins({ disable: ['ServiceAccount', 'TaintNodesByCondition', 'NamespaceLifecycle'] }),
      }),
    );
    world.addHost({ name: REGISTRY_HOST, zone: 'zone-a' }).install(
      registryProgram({
        bytesPerSecond: 1e9,
        manifestUs: 20_000,
        manifest: (name, request) => this.registry.manifest(name, request.password),
        layerUs: (name) => this.registry.layerUs(name),
      }),
    );
    const servers = [world.network.endpoint('cp-0', '6443')];
    this.host = world.addHost({ name: NODE_NAME, zone: 'zone-a' });
    const bench = this;
    this.machine = installNode(this.host, {
      spec: nodeSpec,
      servers,
      facts,
      defects: NO_DEFECTS,
      behaviours: () => goldenProgram,
      // Read anew at every start of the kubelet: steps restart it with other settings.
      get kubelet(): Partial<KubeletConfig> {
        return { maxPods: 250, plegRelistPeriodUs: bench.#conditions.relistUs, ...bench.#settings };
      },
      preloadedImages,
      runtimeSlowness: conditions.slowness,
    });
    world.addHost({ name: 'client-0', zone: 'zone-a' }).install({
      name: 'user-0',
      start: (process) => {
        const transport = new ApiTransport(process, {
          servers,
          user: { name: 'admin', groups: ['system:masters'] },
          userAgent: 'golden',
        });
        this.#user = { process, client: new Client(transport) };
      },
    });
  }

  get user(): Process {
    return this.#started().process;
  }

  get client(): Client {
    return this.#started().client;
  }

  #started(): { readonly process: Process; readonly client: Client } {
    if (this.#user === undefined) throw new Error('bench: the world was not run yet, so the user has not started');
    return this.#user;
  }

  #program(what: string): { readonly host: Host; readonly name: string } {
    if (what === 'kubelet') return { host: this.host, name: `kubelet-${NODE_NAME}` };
    if (what === 'containerd') return { host: this.host, name: `containerd-${NODE_NAME}` };
    return { host: this.world.host('cp-0'), name: 'api-0' };
  }

  readonly runtimeAlive = (): boolean => this.host.process(`containerd-${NODE_NAME}`)?.alive === true;

  stop(what: string): void {
    const { host, name } = this.#program(what);
    host.process(name)?.kill('step');
  }

  /** `settings`: the kubelet's from now on. */
  start(what: string, settings: Partial<KubeletConfig>): void {
    this.#settings = settings;
    const { host, name } = this.#program(what);
    host.start(name);
  }
}
