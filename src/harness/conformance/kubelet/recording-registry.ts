import { SECOND, type Micros } from '../../../sim/time.ts';
import { digestOf, type ImageManifest, type ManifestAnswer } from '../../../model/kubelet/runtime/registry.ts';
import { CLOSED, REGISTRY } from './placeholders.ts';

const MIB = 1_048_576;

function image(name: string, user = ''): { readonly name: string; readonly manifest: ImageManifest } {
  return { name, manifest: { digest: digestOf(name), layers: [{ digest: digestOf(`${name}-layer`), sizeBytes: 3 * MIB }], user } };
}

/** On the node from the start. */
export const preloadedImages = [
  image('golden/prog:v1'),
  image('golden/prog:v2'),
  image('golden/prog:latest'),
  image('golden/user:v1', '1000'),
  image('golden/named-user:v1', 'user'),
];

/** The recordings' registry: goldens/kubelet/README.md, what the names of images mean. */
export class RecordingRegistry {
  /** Missing images that a step made available. */
  readonly allowed = new Set<string>();

  manifest(name: string, password: string | undefined): ManifestAnswer | undefined {
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
    if ((short.startsWith('missing-') && !this.allowed.has(short)) || name.endsWith(':none')) {
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

  layerUs(name: string): Micros {
    const slow = /slow(\d+)-/.exec(name);
    return slow === null ? 50_000 : Number(slow[1]) * SECOND;
  }
}
