import type { Host } from '../../sim/host.ts';
import type { Endpoint } from '../../sim/network.ts';
import type { DefectSet } from '../defects.ts';
import type { Facts } from '../facts.ts';
import type { BehaviourResolver } from './app.ts';
import type { KubeletConfig, NodeSpec } from './config.ts';
import { kubelet } from './kubelet.ts';
import { containerRuntime } from './runtime/container-runtime.ts';
import { Machine } from './runtime/machine.ts';
import type { ImageManifest } from './runtime/registry.ts';
import { runtimeNamed, slowed } from './runtime/runtimes.ts';

export interface NodeOptions {
  readonly spec: NodeSpec;
  readonly servers: readonly Endpoint[];
  readonly facts: Facts;
  readonly defects: DefectSet;
  readonly behaviours: BehaviourResolver;
  /** 'containerd' (default), 'cri-o', 'gvisor', 'kata'. */
  readonly runtime?: string;
  /** How much longer than the table of runtimes says this machine takes to start and stop containers; 1 by default. */
  readonly runtimeSlowness?: number;
  readonly kubelet?: Partial<KubeletConfig>;
  readonly watchListClient?: boolean;
  readonly preloadedImages?: readonly { readonly name: string; readonly manifest: ImageManifest }[];
  readonly runtimeHandlers?: readonly string[];
}

/** Puts a node's programs on a host: its container runtime and its kubelet. Answers the machine under them. */
export function installNode(host: Host, options: NodeOptions): Machine {
  const machine = new Machine(host, options.facts);
  const minor = Number(/^v?1\.(\d+)/.exec(options.spec.kubeletVersion)?.[1] ?? '35');
  host.install(
    containerRuntime({
      machine,
      kind: slowed(runtimeNamed(options.runtime ?? 'containerd', minor), options.runtimeSlowness ?? 1),
      os: options.spec.os,
      podCidr: options.spec.podCidr,
      behaviours: options.behaviours,
      preloadedImages: options.preloadedImages ?? [],
      runtimeHandlers: options.runtimeHandlers ?? [],
    }),
  );
  host.install(
    kubelet({
      machine,
      spec: options.spec,
      servers: options.servers,
      facts: options.facts,
      defects: options.defects,
      // Read at every start, so that a restarted kubelet takes changed settings.
      get config() {
        return options.kubelet ?? {};
      },
      ...(options.watchListClient === undefined ? {} : { watchListClient: options.watchListClient }),
    }),
  );
  return machine;
}
