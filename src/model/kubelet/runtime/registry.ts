import { hashText } from '../../../sim/mix.ts';
import type { Program } from '../../../sim/host.ts';
import { serveRpc } from '../../../sim/rpc.ts';
import { MILLISECOND, SECOND, type Micros } from '../../../sim/time.ts';
import { parseImageName } from './image-name.ts';

/** Host and port of the one simulated registry behind all registry names. */
export const REGISTRY_HOST = 'registry';
export const REGISTRY_PORT = '443';

export interface ImageLayer {
  readonly digest: string;
  readonly sizeBytes: number;
}

export interface ImageManifest {
  readonly digest: string;
  readonly layers: readonly ImageLayer[];
  /** '' is root. */
  readonly user: string;
}

/** What a registry answers: the manifest, or the error as containerd words it. */
export type ManifestAnswer =
  | { readonly ok: true; readonly manifest: ImageManifest }
  | { readonly ok: false; readonly code: string; readonly message: string };

export interface ManifestRequest {
  readonly image: string;
  /** Which of the platforms of an image is wanted. */
  readonly os: 'linux' | 'windows';
  readonly username?: string;
  readonly password?: string;
}

export interface RegistryConfig {
  /** Speed at which one pull gets its layers. */
  readonly bytesPerSecond: number;
  readonly manifestUs: Micros;
  /** Images that are not derived from their name; undefined: the default. */
  readonly manifest?: (image: string, request: ManifestRequest) => ManifestAnswer | undefined;
  /** How long a layer takes, where `bytesPerSecond` does not say it. */
  readonly layerUs?: (image: string, layer: ImageLayer) => Micros | undefined;
}

export const DEFAULT_REGISTRY_CONFIG: RegistryConfig = {
  // What one pull from a cloud registry in the same region gets, unpacking included.
  bytesPerSecond: 60_000_000,
  manifestUs: 120 * MILLISECOND,
};

const MIB = 1_048_576;

function hex(text: string): string {
  let out = '';
  for (let seed = 1; out.length < 64; seed++) out += hashText(text, seed).toString(16).padStart(8, '0');
  return out;
}

/** The digest under which the registry keeps an image. */
export function digestOf(image: string): string {
  return `sha256:${hex(image)}`;
}

/** Images by whose names everybody knows that they hold Windows programs; all others are for Linux. */
const WINDOWS_IMAGES = /nanoserver|servercore|windows/;

/**
 * The image that an arbitrary name stands for: two shared base layers and two of its own, sizes by the name's hash (10–180 MiB in all).
 * Names under `registry.invalid/` do not resolve, tags `missing` and `does-not-exist` are not there, and an image has one platform only:
 * the other system's nodes cannot pull it (containerd's words).
 */
export function defaultManifest(image: string, os: ManifestRequest['os'] = 'linux'): ManifestAnswer {
  const name = parseImageName(image);
  if (typeof name === 'string')
    return { ok: false, code: 'InvalidArgument', message: `failed to parse image reference "${image}": ${name}` };
  const slash = name.repository.indexOf('/');
  const domain = name.repository.slice(0, slash);
  const path = name.repository.slice(slash + 1);
  const full = name.digest === undefined ? `${name.repository}:${name.tag ?? 'latest'}` : `${name.repository}@${name.digest}`;
  if (domain === 'registry.invalid' || domain.endsWith('.invalid')) {
    const url = `https://${domain}/v2/${path}/manifests/${name.tag ?? 'latest'}`;
    return {
      ok: false,
      code: 'Unknown',
      message: `failed to pull and unpack image "${full}": failed to resolve reference "${full}": failed to do request: Head "${url}": dial tcp: lookup ${domain} on 10.96.0.10:53: no such host`,
    };
  }
  if (name.tag === 'missing' || name.tag === 'does-not-exist') {
    return {
      ok: false,
      code: 'NotFound',
      message: `failed to pull and unpack image "${full}": failed to resolve reference "${full}": ${full}: not found`,
    };
  }
  if (WINDOWS_IMAGES.test(path) !== (os === 'windows')) {
    return {
      ok: false,
      code: 'NotFound',
      message: `failed to pull and unpack image "${full}": no match for platform in manifest: not found`,
    };
  }
  const own = hashText(path);
  const base = own % 8;
  return {
    ok: true,
    manifest: {
      digest: name.digest ?? digestOf(full),
      layers: [
        { digest: digestOf(`base-${base}-os`), sizeBytes: (4 + base * 4) * MIB },
        { digest: digestOf(`base-${base}-runtime`), sizeBytes: (2 + base * 6) * MIB },
        { digest: digestOf(`${path}-dependencies`), sizeBytes: (1 + (own % 61)) * MIB },
        { digest: digestOf(`${full}-app`), sizeBytes: (1 + (hashText(full) % 31)) * MIB },
      ],
      user: '',
    },
  };
}

/** The registry's program: answers `manifest` at once and `layer` when its bytes have gone over the wire. */
export function registryProgram(config: RegistryConfig = DEFAULT_REGISTRY_CONFIG): Program {
  return {
    name: REGISTRY_HOST,
    restartAfterUs: SECOND,
    start(process) {
      serveRpc(process, process.host.name, REGISTRY_PORT, {
        call(method, body, call) {
          if (method === 'manifest') {
            const request = body as ManifestRequest;
            const { image } = request;
            process.after(config.manifestUs, () => call.answer(config.manifest?.(image, request) ?? defaultManifest(image, request.os)));
            return;
          }
          const { image, layer } = body as { readonly image: string; readonly layer: ImageLayer };
          const time = config.layerUs?.(image, layer) ?? Math.ceil((layer.sizeBytes / config.bytesPerSecond) * SECOND);
          process.after(time, () => call.answer(layer.digest));
        },
      });
    },
  };
}
