import { dirname, resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { faultKinds, findFault } from '../faults/registry.ts';
import { DEFECTS } from '../model/defects.ts';
import { propertyIds } from '../properties/registry.ts';
import { CLUSTER_PRESETS } from '../model/presets.ts';
import { parseDurationMs, parseDurationRangeMs } from './durations.ts';
import type { PlannedPattern, Range, Scenario } from './scenario.ts';
import { SCENARIO_SCHEMA } from './scenario-schema.ts';
import { schemaProblems } from './schema-problems.ts';
import type { StoreClients, TrafficSpec } from './trial-input.ts';
import { fileError, nearest, type Problem, UserError } from './user-error.ts';
import { type PathStep, parseSource, readSource, type SourceDocument } from './yaml-source.ts';

const validate = new Ajv2020({ allErrors: true, verbose: true, strict: false }).compile(SCENARIO_SCHEMA);

interface RawPlanned {
  readonly at: string;
  readonly last?: string;
  readonly kind: string;
  readonly [name: string]: unknown;
}

interface RawScenario {
  readonly name: string;
  readonly about?: string;
  readonly cluster:
    | string
    | { readonly preset: string; readonly controlPlanes?: number; readonly workers?: number; readonly zones?: number };
  readonly featureGates?: { readonly [gate: string]: boolean };
  readonly defects?: readonly string[];
  readonly apply?: readonly string[];
  readonly traffic?: readonly { readonly to: string; readonly port?: number; readonly rate?: string; readonly timeout?: string }[];
  readonly store?: { readonly clients?: number; readonly keys?: number; readonly rate?: string; readonly watches?: number };
  readonly faults?: {
    readonly count?: number | string;
    readonly kinds?: readonly string[];
    readonly last?: string;
    readonly always?: readonly RawPlanned[];
  };
  readonly operations?: readonly RawPlanned[];
  readonly chaos?: { readonly from?: string; readonly for?: string };
  readonly settle?: string;
  readonly outsideCoreOneIn?: number;
  readonly require?: readonly string[];
}

/** Reads and checks a scenario file. @throws UserError with all problems, each with its line. */
export function loadScenario(file: string): Scenario {
  const documents = parseSource(file, readSource(file));
  const document = documents[0];
  if (document === undefined) throw fileError(file, 'the file is empty', 'a scenario needs at least name and cluster');
  if (documents.length > 1) throw fileError(file, `the file holds ${documents.length} YAML documents`, 'a scenario is one document');
  if (!validate(document.value)) throw new UserError(schemaProblems(document, validate.errors ?? []));
  const problems: Problem[] = [];
  const scenario = build(document.value as unknown as RawScenario, document, problems);
  if (problems.length > 0) throw new UserError(problems);
  return scenario;
}

function build(raw: RawScenario, document: SourceDocument, problems: Problem[]): Scenario {
  const known = (what: string, value: string, names: readonly string[], path: readonly PathStep[]): void => {
    if (names.includes(value)) return;
    const near = nearest(value, names);
    problems.push({
      file: document.file,
      ...document.place(path),
      what: `unknown ${what} ${value}`,
      right: `${near === undefined ? '' : `did you mean ${near}? `}Known: ${names.join(', ')}`,
    });
  };
  const range = (text: string, path: readonly PathStep[]): Range => {
    const parsed = parseDurationRangeMs(text);
    if (parsed === undefined) {
      problems.push({
        file: document.file,
        ...document.place(path),
        what: `${text} runs backwards or is too long`,
        right: 'the smaller duration first, at most 7 days',
      });
    }
    return parsed ?? { min: 0, max: 0 };
  };
  const planned = (rows: readonly RawPlanned[] | undefined, path: readonly PathStep[]): readonly PlannedPattern[] =>
    (rows ?? []).map((row, i) => {
      const { at, last, kind, ...params } = row;
      const here = [...path, i];
      known('fault kind', kind, faultKinds(), [...here, 'kind']);
      checkParams(kind, params, document, here, problems);
      return {
        atMs: range(at, [...here, 'at']),
        lastsMs: last === undefined ? null : range(last, [...here, 'last']),
        params: { kind, ...params },
      };
    });

  const presetName = typeof raw.cluster === 'string' ? raw.cluster : raw.cluster.preset;
  known(
    'preset',
    presetName,
    CLUSTER_PRESETS.map((p) => p.preset),
    typeof raw.cluster === 'string' ? ['cluster'] : ['cluster', 'preset'],
  );
  const preset = CLUSTER_PRESETS.find((p) => p.preset === presetName);
  const changes = typeof raw.cluster === 'string' ? {} : raw.cluster;
  raw.faults?.kinds?.forEach((kind, i) => known('fault kind', kind, faultKinds(), ['faults', 'kinds', i]));
  raw.defects?.forEach((id, i) =>
    known(
      'defect',
      id,
      DEFECTS.map((d) => d.id),
      ['defects', i],
    ),
  );
  raw.require?.forEach((id, i) => known('property', id, propertyIds(), ['require', i]));
  const folder = dirname(document.file);
  return {
    name: raw.name,
    about: raw.about?.trim() ?? '',
    file: document.file,
    cluster: { ...(preset ?? { preset: presetName, kubernetes: true, controlPlanes: 1, workers: 1, zones: 1 }), ...changes },
    featureGates: raw.featureGates ?? {},
    defects: raw.defects ?? [],
    apply: (raw.apply ?? []).map((path) => resolve(folder, path)),
    traffic: (raw.traffic ?? []).map(traffic),
    store: raw.store === undefined ? null : storeClients(raw.store),
    faults: {
      count: countRange(raw.faults?.count ?? 0),
      kinds: raw.faults?.kinds ?? [],
      lastsMs: raw.faults?.last === undefined ? { min: 1000, max: 30_000 } : range(raw.faults.last, ['faults', 'last']),
      always: planned(raw.faults?.always, ['faults', 'always']),
    },
    operations: planned(raw.operations, ['operations']),
    outsideCoreOneIn: raw.outsideCoreOneIn ?? 0,
    chaosFromMs: raw.chaos?.from === undefined ? (preset?.kubernetes === false ? 5000 : 60_000) : (parseDurationMs(raw.chaos.from) ?? 0),
    chaosMs: raw.chaos?.for === undefined ? { min: 30_000, max: 60_000 } : range(raw.chaos.for, ['chaos', 'for']),
    settleMs: raw.settle === undefined ? 180_000 : (parseDurationMs(raw.settle) ?? 0),
    require: raw.require ?? [],
  };
}

/** Parameters that a scenario fixes must be the fault's own, of the right type and within its bounds. */
function checkParams(
  kind: string,
  params: { readonly [name: string]: unknown },
  document: SourceDocument,
  path: readonly PathStep[],
  problems: Problem[],
): void {
  const fault = findFault(kind);
  if (fault === undefined) return;
  const specs = fault.params as Readonly<Record<string, (typeof fault.params)[keyof typeof fault.params]>>;
  const tell = (name: string, what: string, right: string): void => {
    problems.push({ file: document.file, ...document.place(path, name), what, right });
  };
  for (const name of Object.keys(params)) {
    if (specs[name] === undefined) tell(name, `unknown key ${name}`, `${kind} takes: at, last, ${Object.keys(specs).join(', ')}`);
  }
  for (const [name, spec] of Object.entries(specs) as [
    string,
    { readonly type: string; readonly min?: number; readonly max?: number; readonly unit?: string },
  ][]) {
    const value = params[name];
    if (value === undefined) {
      tell('kind', `${kind} has no ${name}`, `add ${name}: ${spec.type}`);
      continue;
    }
    switch (spec.type) {
      case 'integer':
        if (!Number.isInteger(value) || (value as number) < (spec.min as number) || (value as number) > (spec.max as number)) {
          tell(name, `${name} is ${JSON.stringify(value)}`, `must be a whole number from ${spec.min} to ${spec.max} (${spec.unit})`);
        }
        break;
      case 'boolean':
        if (typeof value !== 'boolean') tell(name, `${name} is ${JSON.stringify(value)}`, 'must be true or false');
        break;
      case 'names':
        if (!Array.isArray(value) || value.some((v) => typeof v !== 'string') || value.length < (spec.min as number)) {
          tell(name, `${name} is ${JSON.stringify(value)}`, `must be a list of at least ${spec.min} names`);
        }
        break;
      default:
        if (typeof value !== 'string') tell(name, `${name} is ${JSON.stringify(value)}`, 'must be a name');
    }
  }
}

function countRange(value: number | string): Range {
  if (typeof value === 'number') return { min: value, max: value };
  const [low, high] = value.split('..').map(Number);
  return { min: low ?? 0, max: Math.max(low ?? 0, high ?? low ?? 0) };
}

function perSecond(rate: string | undefined, fallback: number): number {
  return rate === undefined ? fallback : Number(rate.slice(0, -2));
}

function traffic(raw: { readonly to: string; readonly port?: number; readonly rate?: string; readonly timeout?: string }): TrafficSpec {
  return {
    to: raw.to,
    port: raw.port ?? 80,
    perSecond: perSecond(raw.rate, 5),
    timeoutMs: raw.timeout === undefined ? 2000 : (parseDurationMs(raw.timeout) ?? 2000),
  };
}

function storeClients(raw: {
  readonly clients?: number;
  readonly keys?: number;
  readonly rate?: string;
  readonly watches?: number;
}): StoreClients {
  return { clients: raw.clients ?? 3, keys: raw.keys ?? 5, perSecond: perSecond(raw.rate, 10), watches: raw.watches ?? 3 };
}
