import { dirname, resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { faultKinds } from '../faults/registry.ts';
import { DEFECTS } from '../model/defects.ts';
import { propertyIds } from '../properties/registry.ts';
import { CLUSTER_PRESETS } from '../model/presets.ts';
import { formatDurationMs, parseDurationRangeMs } from './durations.ts';
import { paramProblems } from './fault-params.ts';
import type { PlannedPattern, Range, Scenario } from './scenario.ts';
import { SCENARIO_SCHEMA } from './scenario-schema.ts';
import { schemaProblems } from './schema-problems.ts';
import { topologyOf } from './shape.ts';
import { fileError, nearest, type Problem, UserError } from './user-error.ts';
import { type PathStep, parseSource, readSource, type SourceDocument } from './yaml-source.ts';

/** Faults that a trial may draw: more would say nothing and take for ever. */
const FAULTS_MAX = 1000;
const RATE_MAX = 10_000;

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
    | {
        readonly preset: string;
        readonly controlPlanes?: number;
        readonly workers?: number;
        readonly zones?: number;
        readonly etcdAppendBytesMax?: number;
        readonly etcdSnapshotCount?: number;
        readonly etcdCompactionBatch?: number;
      };
  readonly featureGates?: { readonly [gate: string]: boolean };
  readonly defects?: readonly string[];
  readonly apply?: readonly string[];
  readonly traffic?: readonly { readonly to: string; readonly port?: number; readonly rate?: string; readonly timeout?: string }[];
  readonly store?: {
    readonly clients?: number;
    readonly keys?: number;
    readonly rate?: string;
    readonly watches?: number;
    readonly rewatch?: boolean;
    readonly oldReads?: boolean;
    readonly logIn?: boolean;
    readonly locks?: number;
  };
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
  const duration = (text: string, path: readonly PathStep[]): number => range(text, path).min;
  const count = (value: number | string, path: readonly PathStep[]): Range => {
    const [min = 0, max = min] = typeof value === 'number' ? [value] : value.split('..').map(Number);
    if (min > max || max > FAULTS_MAX) {
      problems.push({
        file: document.file,
        ...document.place(path),
        what: `${path.join('.')} is ${value}`,
        right: `must be a number up to ${FAULTS_MAX}, or a range such as 0..6 with the smaller one first`,
      });
    }
    return { min, max };
  };
  const perSecond = (rate: string | undefined, fallback: number, path: readonly PathStep[]): number => {
    const value = rate === undefined ? fallback : Number(rate.slice(0, -2));
    if (value > 0 && value <= RATE_MAX) return value;
    problems.push({
      file: document.file,
      ...document.place(path),
      what: `${path.join('.')} is ${rate}`,
      right: `must be above 0/s and at most ${RATE_MAX}/s`,
    });
    return fallback;
  };
  const planned = (rows: readonly RawPlanned[] | undefined, path: readonly PathStep[]): readonly PlannedPattern[] =>
    (rows ?? []).map((row, i) => {
      const { at, last, kind, ...params } = row;
      const here = [...path, i];
      known('fault kind', kind, faultKinds(), [...here, 'kind']);
      for (const { key, what, right } of paramProblems({ kind, ...params }, topology))
        problems.push({ file: document.file, ...document.place(here, key), what, right });
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
  const cluster = { ...(preset ?? { preset: presetName, kubernetes: true, controlPlanes: 1, workers: 1, zones: 1 }), ...changes };
  const topology = topologyOf(cluster);
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
  const scenario: Scenario = {
    name: raw.name,
    about: raw.about?.trim() ?? '',
    file: document.file,
    cluster,
    featureGates: raw.featureGates ?? {},
    defects: raw.defects ?? [],
    apply: (raw.apply ?? []).map((path) => resolve(folder, path)),
    traffic: (raw.traffic ?? []).map(({ to, port, rate, timeout }, i) => ({
      to,
      port: port ?? 80,
      perSecond: perSecond(rate, 5, ['traffic', i, 'rate']),
      timeoutMs: timeout === undefined ? 2000 : duration(timeout, ['traffic', i, 'timeout']),
    })),
    store:
      raw.store === undefined
        ? null
        : {
            clients: raw.store.clients ?? 3,
            keys: raw.store.keys ?? 5,
            perSecond: perSecond(raw.store.rate, 10, ['store', 'rate']),
            watches: raw.store.watches ?? 3,
            ...(raw.store.rewatch === undefined ? {} : { rewatch: raw.store.rewatch }),
            ...(raw.store.oldReads === undefined ? {} : { oldReads: raw.store.oldReads }),
            ...(raw.store.logIn === undefined ? {} : { logIn: raw.store.logIn }),
            ...(raw.store.locks === undefined ? {} : { locks: raw.store.locks }),
          },
    faults: {
      count: count(raw.faults?.count ?? 0, ['faults', 'count']),
      kinds: raw.faults?.kinds ?? [],
      lastsMs: raw.faults?.last === undefined ? { min: 1000, max: 30_000 } : range(raw.faults.last, ['faults', 'last']),
      always: planned(raw.faults?.always, ['faults', 'always']),
    },
    operations: planned(raw.operations, ['operations']),
    outsideCoreOneIn: raw.outsideCoreOneIn ?? 0,
    chaosFromMs:
      raw.chaos?.from === undefined ? (preset?.kubernetes === false ? 5000 : 60_000) : duration(raw.chaos.from, ['chaos', 'from']),
    chaosMs: raw.chaos?.for === undefined ? { min: 30_000, max: 60_000 } : range(raw.chaos.for, ['chaos', 'for']),
    settleMs: raw.settle === undefined ? 180_000 : duration(raw.settle, ['settle']),
    require: raw.require ?? [],
  };
  const last = scenario.chaosFromMs + scenario.chaosMs.max;
  const late = (rows: readonly PlannedPattern[], path: readonly PathStep[]): void =>
    rows.forEach(({ atMs }, i) => {
      if (atMs.min < last) return;
      problems.push({
        file: document.file,
        ...document.place([...path, i, 'at']),
        what: `at lies ${formatDurationMs(atMs.min)} after the start, when chaos is over`,
        right: `chaos ends after ${formatDurationMs(last)} at the latest: plan it earlier, or make chaos.for longer`,
      });
    });
  late(scenario.faults.always, ['faults', 'always']);
  late(scenario.operations, ['operations']);
  return scenario;
}
