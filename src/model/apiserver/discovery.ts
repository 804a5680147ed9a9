import { base64EncodeBytes } from '../api/base64.ts';
import type { ServedKind } from '../api/registry.ts';
import { sha256 } from '../api/sha256.ts';
import recorded from './generated/discovery.json' with { type: 'json' };

/** metav1.APIResource, as recorded. */
export interface ApiResource {
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly kind: string;
  readonly verbs: readonly string[];
  readonly group?: string;
  readonly version?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly storageVersionHash?: string;
}

export interface ApiGroup {
  readonly name: string;
  readonly versions: readonly { readonly groupVersion: string; readonly version: string }[];
  readonly preferredVersion: { readonly groupVersion: string; readonly version: string };
}

const builtIn = recorded.resources as unknown as Readonly<Record<string, readonly ApiResource[]>>;
const allVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const customVerbs = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];

export const serverVersion = recorded.version;
export const healthChecks = recorded.health as Readonly<Record<string, readonly string[]>>;
export const indexPaths = recorded.paths as readonly string[];

/** Upstream: discovery.StorageVersionHash: eight bytes that change when objects are stored in another version. */
function storageVersionHash(kind: ServedKind): string {
  return base64EncodeBytes(sha256(`${kind.custom?.storageApiVersion ?? kind.apiVersion}/${kind.kind}`).subarray(0, 8));
}

/** Resources of a group and version: recorded ones, then custom kinds. Undefined where neither knows it. */
export function resourcesOf(groupVersion: string, custom: readonly ServedKind[]): readonly ApiResource[] | undefined {
  const own = custom.filter((kind) => kind.apiVersion === groupVersion);
  if (own.length === 0) return builtIn[groupVersion];
  const list: ApiResource[] = [...(builtIn[groupVersion] ?? [])];
  for (const kind of own) {
    list.push({
      name: kind.resource,
      singularName: kind.singular,
      namespaced: kind.namespaced,
      kind: kind.kind,
      verbs: builtIn[groupVersion] === undefined ? customVerbs : allVerbs,
      group: kind.group,
      version: kind.version,
      ...(kind.shortNames.length > 0 ? { shortNames: kind.shortNames } : {}),
      ...(kind.categories.length > 0 ? { categories: kind.categories } : {}),
      storageVersionHash: storageVersionHash(kind),
    });
    for (const subresource of kind.subresources) {
      const isScale = subresource === 'scale';
      list.push({
        name: `${kind.resource}/${subresource}`,
        singularName: '',
        namespaced: kind.namespaced,
        ...(isScale ? { group: 'autoscaling', version: 'v1' } : { group: kind.group, version: kind.version }),
        kind: isScale ? 'Scale' : kind.kind,
        verbs: ['get', 'patch', 'update'],
      });
    }
  }
  return list;
}

/** Resources as APIResourceList shows them: group and version only where they differ from the list's. */
export function listedResources(groupVersion: string, custom: readonly ServedKind[]): readonly ApiResource[] | undefined {
  return resourcesOf(groupVersion, custom)?.map((resource) => {
    if (`${resource.group}/${resource.version}` !== groupVersion) return resource;
    const { group: _g, version: _v, ...rest } = resource;
    return rest;
  });
}

/** Groups in the server's order: recorded ones first, then those of custom kinds by name. */
export function groupsOf(custom: readonly ServedKind[]): readonly ApiGroup[] {
  const groups = [...(recorded.groups as unknown as readonly ApiGroup[])];
  const names = [...new Set(custom.map((kind) => kind.group))].filter((name) => !groups.some((group) => group.name === name)).sort();
  for (const name of names) {
    const versions = [...new Set(custom.filter((kind) => kind.group === name).map((kind) => kind.version))]
      .sort(compareVersions)
      .map((version) => ({ groupVersion: `${name}/${version}`, version }));
    const [preferredVersion] = versions;
    if (preferredVersion !== undefined) groups.push({ name, versions, preferredVersion });
  }
  return groups;
}

/** Kubernetes' order of versions: general availability, then beta, then alpha, higher numbers first. */
export function compareVersions(a: string, b: string): number {
  const rank = (version: string): readonly number[] => {
    const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
    if (match === null) return [-1, 0, 0];
    return [match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0, Number(match[1]), Number(match[3] ?? 0)];
  };
  const left = rank(a);
  const right = rank(b);
  for (let i = 0; i < 3; i++) if ((left[i] ?? 0) !== (right[i] ?? 0)) return (right[i] ?? 0) - (left[i] ?? 0);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** One version of a group in aggregated discovery (KEP-3352). */
function aggregatedVersion(version: string, resources: readonly ApiResource[]): object {
  const main = resources.filter((resource) => !resource.name.includes('/'));
  const sub = (name: string): readonly ApiResource[] => resources.filter((resource) => resource.name.startsWith(`${name}/`));
  const responseKind = (resource: ApiResource): object => ({
    group: resource.group ?? '',
    version: resource.version ?? '',
    kind: resource.kind,
  });
  return {
    version,
    resources: main.map((resource) => {
      const subresources = sub(resource.name);
      return {
        resource: resource.name,
        responseKind: responseKind(resource),
        scope: resource.namespaced ? 'Namespaced' : 'Cluster',
        singularResource: resource.singularName,
        verbs: resource.verbs,
        ...(resource.shortNames === undefined ? {} : { shortNames: resource.shortNames }),
        ...(resource.categories === undefined ? {} : { categories: resource.categories }),
        ...(subresources.length === 0
          ? {}
          : {
              subresources: subresources.map((s) => ({
                subresource: s.name.slice(resource.name.length + 1),
                responseKind: responseKind(s),
                verbs: s.verbs,
              })),
            }),
      };
    }),
    freshness: 'Current',
  };
}

/** APIGroupDiscoveryList of the core group or of all others. */
export function aggregated(core: boolean, custom: readonly ServedKind[]): object {
  const items = core
    ? [{ metadata: {}, versions: [aggregatedVersion('v1', resourcesOf('v1', custom) ?? [])] }]
    : groupsOf(custom).map((group) => ({
        metadata: { name: group.name },
        versions: group.versions.map(({ version, groupVersion }) => aggregatedVersion(version, resourcesOf(groupVersion, custom) ?? [])),
      }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
}
