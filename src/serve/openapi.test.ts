import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { builtInKinds } from '../model/api/kinds/registry.ts';
import { openApiIndex, openApiV2, openApiV3 } from './openapi.ts';

type Map = Readonly<Record<string, unknown>>;

const index = openApiIndex() as { readonly paths: Readonly<Record<string, { readonly serverRelativeURL: string }>> };

function references(value: unknown, into = new Set<string>()): Set<string> {
  if (typeof value !== 'object' || value === null) return into;
  for (const [key, child] of Object.entries(value)) {
    if (key === '$ref' && typeof child === 'string') into.add(child);
    else references(child, into);
  }
  return into;
}

function at(document: unknown, reference: string): unknown {
  return reference
    .slice(2)
    .split('/')
    .reduce<unknown>((value, key) => (value as Map | undefined)?.[key.replace(/~1/g, '/')], document);
}

describe('OpenAPI documents', () => {
  it('has a document for every path of the index, under the hash of what is served', () => {
    for (const [path, { serverRelativeURL }] of Object.entries(index.paths)) {
      const hash = createHash('sha512')
        .update(JSON.stringify(openApiV3(path)))
        .digest('hex')
        .toUpperCase();
      expect(serverRelativeURL).toBe(`/openapi/v3/${path}?hash=${hash}`);
    }
    expect(openApiV3('apis/nothing/v1')).toBeUndefined();
    expect(openApiV3('constructor')).toBeUndefined();
  });

  it('holds what its references name', () => {
    for (const path of Object.keys(index.paths)) {
      const document = openApiV3(path);
      for (const reference of references(document)) expect(at(document, reference), `${path}: ${reference}`).toBeDefined();
    }
    const v2 = openApiV2();
    for (const reference of references(v2)) expect(at(v2, reference), reference).toBeDefined();
  });

  it('describes every resource that is served', () => {
    for (const kind of builtInKinds) {
      const root = kind.group === '' ? `api/${kind.version}` : `apis/${kind.group}/${kind.version}`;
      const { paths } = openApiV3(root) as { readonly paths: Map };
      const where = kind.namespaced ? `namespaces/{namespace}/${kind.resource}` : kind.resource;
      // Lists of events in all namespaces have the path of the resource alone; reviews have nothing else.
      expect(
        [`/${root}/${where}`, `/${root}/${kind.resource}`].some((path) => path in paths),
        `${root} ${kind.resource}`,
      ).toBe(true);
    }
  });
});
