import type { Process } from '../../sim/process.ts';
import type { Task } from '../../sim/task.ts';
import { SECOND } from '../../sim/time.ts';
import { World } from '../../sim/world.ts';
import type { Pod } from '../api/types.ts';
import { MemoryStorage } from '../apiserver/memory-storage.ts';
import { apiServer } from '../apiserver/server.ts';
import type { AdmissionPlugin } from '../apiserver/server-context.ts';
import { builtInKinds } from '../api/kinds/registry.ts';
import { ApiTransport } from '../client/transport.ts';
import { Client } from '../client/typed-client.ts';
import { type DefectSet, NO_DEFECTS } from '../defects.ts';
import { createFacts } from '../facts.ts';
import { resolveBehaviour } from '../workload/behaviours/registry.ts';
import type { BehaviourResolver } from './app.ts';
import type { KubeletConfig, NodeSpec } from './config.ts';
import { installNode } from './node.ts';
import { registryProgram } from './runtime/registry.ts';

const GIB = 1024 ** 3;

export function nodeSpec(name: string, index: number): NodeSpec {
  return {
    name,
    internalIp: `192.168.${Math.floor((10 + index) / 250)}.${(10 + index) % 250}`,
    podCidr: `10.${244 - Math.floor(index / 256)}.${index % 256}.0/24`,
    os: 'linux',
    arch: 'amd64',
    cpuMilli: 4000,
    memoryBytes: 8 * GIB,
    ephemeralStorageBytes: 100 * GIB,
    labels: {},
    taints: [],
    kubeletVersion: 'v1.35.4',
  };
}

export interface TestClusterOptions {
  readonly nodes?: number;
  readonly seed?: string;
  readonly defects?: DefectSet;
  readonly behaviours?: BehaviourResolver;
  readonly kubelet?: Partial<KubeletConfig>;
  readonly admission?: readonly AdmissionPlugin[];
}

/** One API server over a memory store, a registry, some nodes, and a client that scripts the test. */
export function testCluster(options: TestClusterOptions = {}) {
  const world = new World({ seed: options.seed ?? 'kubelet test' });
  const facts = createFacts();
  const storage = new MemoryStorage();
  const host = world.addHost({ name: 'cp-0', zone: 'zone-a' });
  host.install(
    apiServer({
      name: 'api-0',
      address: 'cp-0',
      storage: () => storage,
      facts,
      kinds: builtInKinds,
      ...(options.admission === undefined ? {} : { admission: options.admission }),
    }),
  );
  world.addHost({ name: 'registry', zone: 'zone-a' }).install(registryProgram());
  const servers = [world.network.endpoint('cp-0', '6443')];
  const machines = Array.from({ length: options.nodes ?? 1 }, (_, index) =>
    installNode(world.addHost({ name: `worker-${index}`, zone: 'zone-a' }), {
      spec: nodeSpec(`worker-${index}`, index),
      servers,
      facts,
      defects: options.defects ?? NO_DEFECTS,
      behaviours: options.behaviours ?? resolveBehaviour,
      ...(options.kubelet === undefined ? {} : { kubelet: options.kubelet }),
    }),
  );
  let user: Process | undefined;
  world.addHost({ name: 'client-0', zone: 'zone-a' }).install({
    name: 'user-0',
    start: (process) => {
      user = process;
    },
  });
  world.run(SECOND);
  if (user === undefined) throw new Error('the user did not start');
  const process = user;
  const client = new Client(new ApiTransport(process, { servers, user: { name: 'admin', groups: ['system:masters'] }, userAgent: 'test' }));
  const seen: string[] = [];
  const note = (line: string) => seen.push(`${(world.now / SECOND).toFixed(1)} ${line}`);
  return {
    world,
    facts,
    storage,
    machines,
    process,
    client,
    note,
    seen,
    script: (task: () => Task<void>) => process.spawn('script', task()),
  };
}

export function pod(name: string, spec: Partial<Pod['spec']> & Pick<Pod['spec'], 'containers'>, annotations?: Record<string, string>): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', ...(annotations === undefined ? {} : { annotations }) },
    spec: { nodeName: 'worker-0', automountServiceAccountToken: false, ...spec },
  };
}
