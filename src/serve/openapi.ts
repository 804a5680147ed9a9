import { brotliDecompressSync } from 'node:zlib';
import packed from './generated/openapi.json' with { type: 'json' };

interface Documents {
  readonly v2: object;
  readonly v3: Readonly<Record<string, { readonly hash: string; readonly document: object }>>;
}

let unpacked: Documents | undefined;

/** Several megabytes of text: unpacked when the first document is asked for, never in a trial. */
function documents(): Documents {
  unpacked ??= JSON.parse(brotliDecompressSync(Buffer.from(packed.brotliBase64, 'base64')).toString('utf8')) as Documents;
  return unpacked;
}

/** The OpenAPI document of version 2: all built-in paths and definitions, without descriptions. */
export function openApiV2(): object {
  return documents().v2;
}

/** The index of documents of version 3. */
export function openApiIndex(): object {
  const paths = Object.entries(documents().v3).map(([path, { hash }]) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }]);
  return { paths: Object.fromEntries(paths) };
}

/** One document of version 3, such as `apis/apps/v1`; undefined when there is none of that path. */
export function openApiV3(path: string): object | undefined {
  return Object.hasOwn(documents().v3, path) ? documents().v3[path]?.document : undefined;
}
