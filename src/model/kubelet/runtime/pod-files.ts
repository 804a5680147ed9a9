import type { Container } from '../../api/types.ts';
import type { AppFiles } from '../app.ts';

interface File {
  readonly content: string;
  readonly sizeBytes: number;
}

/** One volume of a pod on its node's disk (or tmpfs). */
export class PodVolume {
  readonly files = new Map<string, File>();
  /** A tmpfs with a size limit refuses writes beyond it. */
  capacityBytes = Number.POSITIVE_INFINITY;
  /** More than this is allowed to be written and punished later (an emptyDir's sizeLimit on disk). */
  limitBytes = Number.POSITIVE_INFINITY;
  /** Its content comes from the API and is replaced as a whole: what is mounted by subPath keeps the old content. */
  fromApi = false;
  /** A tmpfs: its content is gone with the power. */
  inMemory = false;

  get usedBytes(): number {
    let used = 0;
    for (const file of this.files.values()) used += file.sizeBytes;
    return used;
  }
}

/** Files of one pod: its volumes, shared by its containers, and each container's own writable layer. They outlive restarts of containers. */
export class PodFiles {
  readonly #volumes = new Map<string, PodVolume>();
  /** Called after a write beyond a volume's limit, with its name. */
  onFull: ((volume: string) => void) | undefined;
  /** Called after every write. */
  onWrite: (() => void) | undefined;

  volume(name: string): PodVolume {
    let volume = this.#volumes.get(name);
    if (volume === undefined) {
      volume = new PodVolume();
      this.#volumes.set(name, volume);
    }
    return volume;
  }

  /** Names of the volumes, in code-unit order. */
  names(): readonly string[] {
    return [...this.#volumes.keys()].sort();
  }

  /** What volumes and layers take of the memory, or of the disk. */
  usedBytes(inMemory: boolean): number {
    let used = 0;
    for (const volume of this.#volumes.values()) if (volume.inMemory === inMemory) used += volume.usedBytes;
    return used;
  }

  /** What a container wrote outside of all volumes. */
  layerBytes(container: string): number {
    return this.#volumes.get(`layer/${container}`)?.usedBytes ?? 0;
  }

  /** The machine lost its power. */
  losePower(): void {
    for (const volume of this.#volumes.values()) if (volume.inMemory) volume.files.clear();
  }

  /** The files as a container sees them through its mounts. */
  view(container: Container): AppFiles {
    const locate = (path: string): { readonly volume: string; readonly at: string } => {
      let best: { readonly volume: string; readonly at: string } | undefined;
      let bestLength = -1;
      for (const mount of container.volumeMounts ?? []) {
        const root = mount.mountPath.endsWith('/') ? mount.mountPath.slice(0, -1) : mount.mountPath;
        if ((path !== root && !path.startsWith(`${root}/`)) || root.length <= bestLength) continue;
        bestLength = root.length;
        const below = path.slice(root.length + 1);
        const sub = mount.subPath ?? '';
        best = { volume: mount.name, at: sub === '' ? below : below === '' ? sub : `${sub}/${below}` };
      }
      return best ?? { volume: `layer/${container.name}`, at: path };
    };
    const kept = new Map<string, ReadonlyMap<string, File>>();
    for (const mount of container.volumeMounts ?? []) {
      const volume = this.#volumes.get(mount.name);
      if ((mount.subPath ?? '') !== '' && volume?.fromApi === true) kept.set(mount.name, new Map(volume.files));
    }
    return {
      read: (path) => {
        const { volume, at } = locate(path);
        return (kept.get(volume) ?? this.volume(volume).files).get(at)?.content;
      },
      write: (path, content, sizeBytes = content.length) => {
        const { volume: name, at } = locate(path);
        const volume = this.volume(name);
        const before = volume.files.get(at)?.sizeBytes ?? 0;
        if (volume.usedBytes - before + sizeBytes > volume.capacityBytes) return false;
        volume.files.set(at, { content, sizeBytes });
        if (volume.usedBytes > volume.limitBytes) this.onFull?.(name);
        this.onWrite?.();
        return true;
      },
    };
  }
}
