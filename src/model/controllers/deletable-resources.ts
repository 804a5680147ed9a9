import { resourceRows } from '../api/resource-rows.ts';
import { apiVersionOf, type Resource } from '../client/resources.ts';

/** Resources that upstream's garbage collector does not watch (DefaultIgnoredResources): events carry no owners worth following. */
const IGNORED = new Set(['events']);
/** A second version of objects that are served under another one already. */
const NOT_PREFERRED = new Set(['autoscaling/v1/horizontalpodautoscalers']);

/** Every built-in resource that can be listed, watched and deleted, in its preferred version: what discovery tells the controllers. */
export const DELETABLE_RESOURCES: readonly Resource[] = resourceRows
  .filter((row) => row.storagePath !== '' && !NOT_PREFERRED.has(`${row.group}/${row.version}/${row.resource}`))
  .map(({ group, version, resource, kind, namespaced }) => ({ group, version, resource, kind, namespaced }));

export const COLLECTED_RESOURCES: readonly Resource[] = DELETABLE_RESOURCES.filter((resource) => !IGNORED.has(resource.resource));

const byKind = new Map<string, Resource>(resourceRows.map((row) => [`${apiVersionOf(row)}|${row.kind}`, row]));

/** The resource of a kind as an owner reference names it; any served version will do. Undefined: nobody serves it. */
export function resourceOfKind(apiVersion: string, kind: string): Resource | undefined {
  return byKind.get(`${apiVersion}|${kind}`);
}
