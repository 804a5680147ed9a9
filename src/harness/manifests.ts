import { readdirSync, statSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import type { UntypedObject } from '../model/api/object.ts';
import type { Manifest } from './trial-input.ts';
import { fileError, type Problem, UserError } from './user-error.ts';
import { parseSource, readSource } from './yaml-source.ts';

/**
 * Reads users' manifests: every document of every file, lists taken apart, namespaces (and custom resource definitions) first.
 * A document that is met twice stays twice: applying it again is what `kubectl apply` does.
 * @throws UserError with all problems of all files
 */
export function loadManifests(paths: readonly string[]): readonly Manifest[] {
  const problems: Problem[] = [];
  const manifests: Manifest[] = [];
  for (const file of paths.flatMap(filesOf)) {
    try {
      for (const document of parseSource(file, readSource(file))) {
        const objects = itemsOf(document.value);
        for (const object of objects) {
          const problem = envelopeProblem(object);
          if (problem === undefined) manifests.push({ source: `${shown(file)}:${document.line}`, object: object as UntypedObject });
          else problems.push({ file, line: document.line, column: 1, ...problem });
        }
      }
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new UserError(problems);
  const rank = (m: Manifest): number => (m.object.kind === 'Namespace' ? 0 : m.object.kind === 'CustomResourceDefinition' ? 1 : 2);
  return manifests
    .map((manifest, i) => ({ manifest, i }))
    .sort((a, b) => rank(a.manifest) - rank(b.manifest) || a.i - b.i)
    .map(({ manifest }) => manifest);
}

/** As a user would write it: a trial file that is passed on names no folders of this machine where it need not. */
function shown(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith('..') || isAbsolute(path) ? file : path;
}

function filesOf(path: string): readonly string[] {
  let folder = false;
  try {
    folder = statSync(path).isDirectory();
  } catch {
    throw fileError(path, 'no such file or folder');
  }
  if (!folder) return [path];
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ya?ml|json)$/.test(name))
    .sort()
    .map((name) => join(path, name));
  if (files.length === 0) throw fileError(path, 'the folder holds no .yaml, .yml or .json file');
  return files;
}

function itemsOf(value: unknown): readonly unknown[] {
  const object = value as { kind?: unknown; items?: unknown };
  return typeof object.kind === 'string' && object.kind.endsWith('List') && Array.isArray(object.items) ? object.items : [value];
}

function envelopeProblem(value: unknown): { readonly what: string; readonly right: string } | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { what: 'not a Kubernetes object', right: 'a mapping with apiVersion, kind and metadata' };
  const object = value as { apiVersion?: unknown; kind?: unknown; metadata?: { name?: unknown; generateName?: unknown } };
  if (typeof object.apiVersion !== 'string') return { what: 'apiVersion is missing', right: 'for example apiVersion: apps/v1' };
  if (typeof object.kind !== 'string') return { what: 'kind is missing', right: 'for example kind: Deployment' };
  const name = object.metadata?.name ?? object.metadata?.generateName;
  if (typeof name !== 'string') return { what: `${object.kind} without metadata.name`, right: 'give it a name' };
  return undefined;
}
