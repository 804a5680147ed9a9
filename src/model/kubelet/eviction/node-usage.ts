import type { Pod } from '../../api/types.ts';
import type { NodeSpec } from '../config.ts';
import type { ImageRecord } from '../cri.ts';
import type { Machine } from '../runtime/machine.ts';
import type { PodUsage } from './ranking.ts';
import type { Observations } from './thresholds.ts';

/** A container's log and the folders of its layer take some blocks even when it writes nothing. */
const CONTAINER_DISK_BYTES = 24 * 1024;

/** What the node and its pods use: upstream's stats summary. What the system itself needs is not modelled. */
export class NodeUsage {
  readonly #machine: Machine;
  readonly #spec: NodeSpec;
  readonly #images: () => readonly ImageRecord[];

  constructor(machine: Machine, spec: NodeSpec, images: () => readonly ImageRecord[]) {
    this.#machine = machine;
    this.#spec = spec;
    this.#images = images;
  }

  observe(): Observations {
    const { memoryBytes, ephemeralStorageBytes } = this.#spec;
    let disk = this.#machine.diskUsed();
    for (const image of this.#images()) disk += image.sizeBytes;
    const fs = { capacityBytes: ephemeralStorageBytes, availableBytes: Math.max(0, ephemeralStorageBytes - disk) };
    return {
      'memory.available': { capacityBytes: memoryBytes, availableBytes: Math.max(0, memoryBytes - this.#machine.memoryUsed()) },
      'nodefs.available': fs,
      'imagefs.available': fs,
    };
  }

  of(pod: Pod): PodUsage {
    const uid = pod.metadata.uid ?? '';
    const files = this.#machine.files(uid);
    const containerMemory = this.#machine.memoryOf(uid);
    const containerDisk = new Map<string, number>();
    let memoryBytes = files.usedBytes(true);
    let diskBytes = files.usedBytes(false);
    for (const [name, bytes] of containerMemory) {
      memoryBytes += bytes;
      diskBytes += CONTAINER_DISK_BYTES;
      containerDisk.set(name, files.layerBytes(name) + CONTAINER_DISK_BYTES);
    }
    return { memoryBytes, containerMemory, diskBytes, containerDisk };
  }
}
