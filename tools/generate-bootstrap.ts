/**
 * Regenerates `src/model/apiserver/generated/bootstrap.json`: what an API server of Kubernetes 1.35 makes sure of at its start (roles, bindings,
 * flow schemas, priority classes and so on), from the recording of a fresh cluster.
 *
 * Usage: node tools/generate-bootstrap.ts [path of 90-fresh-cluster.jsonl]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Made by the server while it runs, not at its start: identity leases, addresses, endpoints. */
const runtime = /\/(endpoints|endpointslices|ipaddresses|leases|configmaps|serviceaccounts|secrets|nodes|pods|events)$/;

interface Recorded {
  readonly path: string;
  readonly response?: { readonly kind: string; readonly apiVersion: string; readonly items?: readonly Record<string, unknown>[] };
}

export const bootstrapFile = join(root, 'src/model/apiserver/generated/bootstrap.json');

export function generateBootstrap(path: string): string {
  const rows: string[] = [];
  for (const line of readFileSync(path, 'utf8').split('\n').slice(1)) {
    if (line === '') continue;
    const { path: url, response } = JSON.parse(line) as Recorded;
    if (response?.items === undefined || runtime.test(url)) continue;
    const resource = url.slice(url.lastIndexOf('/') + 1);
    for (const item of response.items) {
      const {
        uid: _u,
        resourceVersion: _r,
        creationTimestamp: _c,
        generation: _g,
        managedFields: _m,
        ...metadata
      } = item['metadata'] as Record<string, unknown>;
      const object = { apiVersion: response.apiVersion, kind: response.kind.slice(0, -4), ...item, metadata };
      rows.push(JSON.stringify({ resource, object }));
    }
  }
  return `[\n${rows.join(',\n')}\n]\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(bootstrapFile, generateBootstrap(process.argv[2] ?? join(root, '../shared/goldens/api/90-fresh-cluster.jsonl')));
}
