import type { FaultParams, ParamSpec } from '../faults/fault.ts';
import { findFault } from '../faults/registry.ts';
import type { Topology } from '../faults/topology.ts';
import { nearest } from './user-error.ts';

/** What is wrong with one parameter; `key` is where to point: the parameter, or `kind` where one is missing. */
export interface ParamProblem {
  readonly key: string;
  readonly what: string;
  readonly right: string;
}

/** Holds parameters that a file gives against those of the fault and the names of the cluster. Says nothing of a kind that is unknown. */
export function paramProblems(given: FaultParams, topology: Topology): readonly ParamProblem[] {
  const { kind, ...params } = given as FaultParams & { readonly [name: string]: unknown };
  const fault = findFault(kind);
  if (fault === undefined) return [];
  const specs = fault.params as Readonly<Record<string, ParamSpec>>;
  const names = Object.keys(specs);
  const unknown = Object.keys(params)
    .filter((name) => !names.includes(name))
    .map((key) => ({ key, what: `unknown key ${key}`, right: `${kind} takes: ${names.length === 0 ? 'nothing' : names.join(', ')}` }));
  const wrong = names.flatMap((key): readonly ParamProblem[] => {
    const spec = specs[key] as ParamSpec;
    const value = params[key];
    if (value === undefined && spec.type === 'name' && spec.optional === true) return [];
    if (value === undefined) return [{ key: 'kind', what: `${kind} has no ${key}`, right: `add ${key}: ${right(spec, topology)}` }];
    const problem = problemOf(spec, value, topology);
    return problem === undefined ? [] : [{ key, what: `${key} is ${JSON.stringify(value)}`, right: problem }];
  });
  return [...unknown, ...wrong];
}

/** What the value should be instead; undefined where it is right. */
function problemOf(spec: ParamSpec, value: unknown, topology: Topology): string | undefined {
  switch (spec.type) {
    case 'integer':
      return Number.isInteger(value) && (value as number) >= spec.min && (value as number) <= spec.max ? undefined : must(spec, topology);
    case 'boolean':
      return typeof value === 'boolean' ? undefined : must(spec, topology);
    case 'text':
      return typeof value === 'string' ? undefined : must(spec, topology);
    case 'name': {
      const known = [...spec.of(topology), ...(spec.also?.(topology) ?? [])];
      return typeof value === 'string' && known.includes(value) ? undefined : suggestion(value, known) + must(spec, topology);
    }
    case 'names': {
      const known = spec.of(topology);
      if (!Array.isArray(value) || value.length < spec.min || new Set(value).size < value.length) return must(spec, topology);
      const stranger = value.find((v) => !known.includes(v as string));
      return stranger === undefined ? undefined : suggestion(stranger, known) + must(spec, topology);
    }
  }
}

function must(spec: ParamSpec, topology: Topology): string {
  return `must be ${right(spec, topology)}`;
}

function right(spec: ParamSpec, topology: Topology): string {
  switch (spec.type) {
    case 'integer':
      return `a whole number from ${spec.min} to ${spec.max} (${spec.unit})`;
    case 'boolean':
      return 'true or false';
    case 'text':
      return 'a text';
    case 'name':
      return oneOf('one of', spec.of(topology));
    case 'names':
      return oneOf(`a list of at least ${spec.min}, each once, of`, spec.of(topology));
  }
}

function oneOf(what: string, known: readonly string[]): string {
  return known.length === 0
    ? `${what} the names that it could hit, but this cluster has none`
    : `${what} ${known.map((n) => n || "''").join(', ')}`;
}

function suggestion(value: unknown, known: readonly string[]): string {
  const near = typeof value === 'string' ? nearest(value, known) : undefined;
  return near === undefined ? '' : `did you mean ${near}? It `;
}
