import { RpcClient } from '../../../sim/rpc.ts';
import type { Process } from '../../../sim/process.ts';
import type { Task } from '../../../sim/task.ts';
import { MINUTE, SECOND } from '../../../sim/time.ts';
import { criError, type CriResult, type ImageRecord, type PullCredentials } from '../cri.ts';
import { canonicalImage, parseImageName } from './image-name.ts';
import { type ImageManifest, type ManifestAnswer, type ManifestRequest, REGISTRY_HOST, REGISTRY_PORT } from './registry.ts';

interface StoredImage {
  readonly manifest: ImageManifest;
  readonly names: readonly string[];
  /** Repository it was pulled from; undefined: it came with the machine. */
  readonly repository: string | undefined;
}

/** File of the host's disk that lists the images. */
const FILE = 'cri/images';

/** A node's images: pulled layer by layer, layers shared between images. Kept on the host's disk. */
export class ImageStore {
  readonly #process: Process;
  readonly #registry: RpcClient;
  readonly #images = new Map<string, StoredImage>();
  readonly #byName = new Map<string, string>();
  readonly #layers = new Set<string>();
  readonly #os: 'linux' | 'windows';
  #list: readonly ImageRecord[] | undefined;

  /** `preloaded`: images that came with the machine. */
  constructor(
    process: Process,
    preloaded: readonly { readonly name: string; readonly manifest: ImageManifest }[],
    os: 'linux' | 'windows',
  ) {
    this.#process = process;
    this.#os = os;
    const { network } = process.world;
    this.#registry = new RpcClient(process, network.endpoint(REGISTRY_HOST, REGISTRY_PORT), { connectTimeoutUs: 30 * SECOND });
    const stored = process.host.disk.read(FILE);
    if (stored === undefined) for (const { name, manifest } of preloaded) this.#add(name, manifest, false);
    else {
      for (const record of stored) {
        if (record.torn === true || record.rotten === true) continue;
        const { name, manifest, removed } = record.value as {
          readonly name: string;
          readonly manifest: ImageManifest;
          readonly removed?: boolean;
        };
        if (removed === true) this.#forget(name);
        else this.#add(name, manifest, true);
      }
    }
  }

  /** All images by name, the largest first as node statuses list them. */
  list(): readonly ImageRecord[] {
    this.#list ??= [...this.#images.values()].map(recordOf).sort((a, b) => b.sizeBytes - a.sizeBytes || compare(a.id, b.id));
    return this.#list;
  }

  find(image: string): ImageRecord | undefined {
    const digest = this.#byName.get(canonicalImage(image)) ?? (this.#images.has(image) ? image : undefined);
    const stored = digest === undefined ? undefined : this.#images.get(digest);
    return stored === undefined ? undefined : recordOf(stored);
  }

  /** Gets the manifest and the layers that are not here yet. */
  *pull(image: string, credentials: PullCredentials | undefined): Task<CriResult<ImageRecord>> {
    const full = canonicalImage(image);
    const request: ManifestRequest = { image, os: this.#os, ...credentials };
    const answer = yield* this.#registry.call<ManifestAnswer>('manifest', request, { timeoutUs: MINUTE });
    if (!answer.ok) return criError('Unknown', unreachable(full, answer.error));
    if (!answer.value.ok) return criError(answer.value.code, answer.value.message);
    const { manifest } = answer.value;
    for (const layer of manifest.layers) {
      if (this.#layers.has(layer.digest)) continue;
      const got = yield* this.#registry.call<string>('layer', { image, layer }, { timeoutUs: 10 * MINUTE, sizeBytes: 256 });
      if (!got.ok)
        return criError('Unknown', `failed to pull and unpack image "${full}": failed to copy: httpReadSeeker: failed open: ${got.error}`);
      this.#layers.add(layer.digest);
    }
    this.#process.host.disk.append(this.#process, FILE, { name: image, manifest }, 256);
    this.#add(image, manifest, true);
    return { ok: true, value: this.find(image) as ImageRecord };
  }

  remove(image: string): void {
    const name = this.find(image)?.names[0];
    if (name === undefined) return;
    this.#process.host.disk.append(this.#process, FILE, { name, manifest: undefined, removed: true }, 64);
    this.#forget(name);
  }

  #add(image: string, manifest: ImageManifest, pulled: boolean): void {
    const full = canonicalImage(image);
    const names = new Set(this.#images.get(manifest.digest)?.names ?? []);
    names.add(full);
    const repository = pulled ? full.split('@')[0]?.replace(/:[^/:]*$/, '') : undefined;
    this.#images.set(manifest.digest, {
      manifest,
      names: [...names].sort(),
      repository: this.#images.get(manifest.digest)?.repository ?? repository,
    });
    this.#byName.set(full, manifest.digest);
    const parsed = parseImageName(image);
    if (typeof parsed !== 'string') this.#byName.set(`${parsed.repository}@${manifest.digest}`, manifest.digest);
    for (const layer of manifest.layers) this.#layers.add(layer.digest);
    this.#list = undefined;
  }

  #forget(image: string): void {
    const digest = this.#byName.get(canonicalImage(image));
    if (digest === undefined) return;
    const image_ = this.#images.get(digest);
    for (const name of image_?.names ?? []) this.#byName.delete(name);
    this.#images.delete(digest);
    // Layers stay only while an image has them.
    this.#layers.clear();
    for (const stored of this.#images.values()) for (const layer of stored.manifest.layers) this.#layers.add(layer.digest);
    this.#list = undefined;
  }
}

function recordOf(image: StoredImage): ImageRecord {
  let sizeBytes = 0;
  for (const layer of image.manifest.layers) sizeBytes += layer.sizeBytes;
  const { digest, user } = image.manifest;
  return {
    id: digest,
    reference: image.repository === undefined ? digest : `${image.repository}@${digest}`,
    names: image.names,
    sizeBytes,
    user,
  };
}

function unreachable(full: string, error: string): string {
  const why = error === 'refused' ? 'connect: connection refused' : 'i/o timeout';
  const slash = full.indexOf('/');
  return `failed to pull and unpack image "${full}": failed to resolve reference "${full}": failed to do request: Head "https://${full.slice(0, slash)}/v2/${full.slice(slash + 1)}": dial tcp: ${why}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
