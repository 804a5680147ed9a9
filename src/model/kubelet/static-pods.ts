import { hashText } from '../../sim/mix.ts';
import type { Process } from '../../sim/process.ts';
import { formatTime } from '../api/time.ts';
import type { Pod } from '../api/types.ts';
import { CONFIG_HASH_ANNOTATION, CONFIG_SEEN_ANNOTATION, CONFIG_SOURCE_ANNOTATION } from './pod-spec.ts';
import type { Machine } from './runtime/machine.ts';

export interface StaticPodHandlers {
  readonly onAdd: (pod: Pod) => void;
  readonly onRemove: (pod: Pod) => void;
}

/** 32 hexadecimal digits, as upstream's MD5 over node, file and content gives them: another content is another pod. */
function uidOf(nodeName: string, file: string, pod: Pod): string {
  const text = `${nodeName}|${file}|${JSON.stringify(pod)}`;
  return [1, 2, 3, 4].map((seed) => hashText(text, seed).toString(16).padStart(8, '0')).join('');
}

/** A manifest as the pod that is run: upstream pkg/kubelet/config/common.go applyDefaults. */
export function staticPod(nodeName: string, file: string, manifest: Pod, seen: string): Pod {
  const uid = uidOf(nodeName, file, manifest);
  const { metadata } = manifest;
  return {
    ...manifest,
    metadata: {
      ...metadata,
      name: `${metadata.name ?? ''}-${nodeName}`,
      namespace: metadata.namespace ?? 'default',
      uid,
      annotations: {
        ...metadata.annotations,
        [CONFIG_HASH_ANNOTATION]: uid,
        [CONFIG_SEEN_ANNOTATION]: seen,
        [CONFIG_SOURCE_ANNOTATION]: 'file',
      },
    },
    spec: {
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      ...manifest.spec,
      nodeName,
      // Whatever taint the node has: nobody else can start it there.
      tolerations: [...(manifest.spec.tolerations ?? []), { operator: 'Exists', effect: 'NoExecute' }],
    },
    status: { phase: 'Pending' },
  };
}

/** The kubelet's folder of manifests, watched (upstream pkg/kubelet/config/file.go): these pods need no API server. */
export class StaticPods {
  readonly #process: Process;
  readonly #machine: Machine;
  readonly #nodeName: string;
  readonly #handlers: StaticPodHandlers;
  readonly #known = new Map<string, Pod>();

  constructor(process: Process, machine: Machine, nodeName: string, handlers: StaticPodHandlers) {
    this.#process = process;
    this.#machine = machine;
    this.#nodeName = nodeName;
    this.#handlers = handlers;
  }

  start(): void {
    const process = this.#process;
    this.#machine.onManifests = () => process.deliver(0, process.world.calibration.resumeUs, () => this.#read(), undefined, undefined);
    this.#read();
  }

  #read(): void {
    const now = new Map<string, Pod>();
    const seen = formatTime(this.#process.wall());
    for (const { file, pod } of this.#machine.manifests()) {
      const made = staticPod(this.#nodeName, file, pod, seen);
      const uid = made.metadata.uid ?? '';
      now.set(uid, this.#known.get(uid) ?? made);
    }
    // Upstream's PodConfig tells of what is gone before it tells of what is new.
    for (const uid of [...this.#known.keys()].sort()) {
      const gone = this.#known.get(uid);
      if (now.has(uid) || gone === undefined) continue;
      this.#known.delete(uid);
      this.#handlers.onRemove(gone);
    }
    for (const [uid, pod] of now) {
      if (this.#known.has(uid)) continue;
      this.#known.set(uid, pod);
      this.#handlers.onAdd(pod);
    }
  }
}
