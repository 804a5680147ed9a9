import { quantityMilliValue, quantityOf, quantityValue } from '../model/api/quantity.ts';
import { machinesOf, type NodePool, type NodeTaint } from '../model/node-pools.ts';
import { dirname, resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { etcdMembers } from '../faults/crash-at-fact.ts';
import { faultKinds } from '../faults/registry.ts';
import { DEFECTS } from '../model/defects.ts';
import type { EtcdVariant } from '../model/etcd/server/config.ts';
import { propertyIds } from '../properties/registry.ts';
import { CLUSTER_PRESETS } from '../model/presets.ts';
import { formatDurationMs, parseDurationRangeMs } from './durations.ts';
import { paramProblems } from './fault-params.ts';
import type { PlannedPattern, Range, Scenario } from './scenario.ts';
import { SCENARIO_SCHEMA } from './scenario-schema.ts';
import { schemaProblems } from './schema-problems.ts';
import { clusterHosts, type Topology } from '../faults/topology.ts';
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

interface RawPool {
  readonly workers: number;
  readonly max?: number;
  readonly os?: 'linux' | 'windows';
  readonly runtime?: string;
  readonly cpu?: string;
  readonly memory?: string;
  readonly pods?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly string[];
}

/** The pool in the model's units. The schema has seen that the texts can be read. */
function poolOf(raw: RawPool): NodePool {
  const { cpu, memory, taints, ...same } = raw;
  return {
    ...same,
    ...(cpu === undefined ? {} : { cpuMilli: quantityMilliValue(quantityOf(cpu)) }),
    ...(memory === undefined ? {} : { memoryBytes: quantityValue(quantityOf(memory)) }),
    ...(taints === undefined ? {} : { taints: taints.map(taintOf) }),
  };
}

function taintOf(text: string): NodeTaint {
  const [what = '', effect = ''] = text.split(':');
  const [key = '', value] = what.split('=');
  return { key, ...(value === undefined || value === '' ? {} : { value }), effect: effect as NodeTaint['effect'] };
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
        readonly etcd?: 'stacked' | 'external';
        readonly etcdMembers?: number;
        readonly runtime?: string;
        readonly pools?: readonly RawPool[];
        readonly cloud?: boolean;
        readonly metricsServer?: boolean;
        readonly etcdAppendBytesMax?: number;
        readonly etcdSnapshotCount?: number;
        readonly etcdCompactionBatch?: number;
        readonly etcdSpares?: number;
        readonly etcdVariants?: readonly EtcdVariant[];
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
    readonly readers?: number;
    readonly clientsAt?: readonly string[];
    readonly readersAt?: readonly string[];
    readonly locks?: number;
    readonly leases?: number;
  };
  readonly configs?: { readonly namespace?: string; readonly writers?: number; readonly watchers?: number; readonly rate?: string };
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
  readonly outsideCore?: readonly string[];
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
  const scenario = new ScenarioBuilder(document, problems).build(document.value as unknown as RawScenario);
  if (problems.length > 0) throw new UserError(problems);
  return scenario;
}

/** Turns what the file says into a scenario, and notes every problem with its place. */
class ScenarioBuilder {
  readonly #document: SourceDocument;
  readonly #problems: Problem[];

  constructor(document: SourceDocument, problems: Problem[]) {
    this.#document = document;
    this.#problems = problems;
  }

  build(raw: RawScenario): Scenario {
    const { cluster, kubernetes } = this.#cluster(raw.cluster);
    const topology = topologyOf(cluster);
    this.#checkNames(raw);
    const folder = dirname(this.#document.file);
    const scenario: Scenario = {
      name: raw.name,
      about: raw.about?.trim() ?? '',
      file: this.#document.file,
      cluster,
      featureGates: raw.featureGates ?? {},
      defects: raw.defects ?? [],
      apply: (raw.apply ?? []).map((path) => resolve(folder, path)),
      traffic: (raw.traffic ?? []).map(({ to, port, rate, timeout }, i) => ({
        to,
        port: port ?? 80,
        perSecond: this.#perSecond(rate, 5, ['traffic', i, 'rate']),
        timeoutMs: timeout === undefined ? 2000 : this.#duration(timeout, ['traffic', i, 'timeout']),
      })),
      store:
        raw.store === undefined
          ? null
          : {
              clients: raw.store.clients ?? 3,
              keys: raw.store.keys ?? 5,
              perSecond: this.#perSecond(raw.store.rate, 10, ['store', 'rate']),
              watches: raw.store.watches ?? 3,
              ...(raw.store.rewatch === undefined ? {} : { rewatch: raw.store.rewatch }),
              ...(raw.store.oldReads === undefined ? {} : { oldReads: raw.store.oldReads }),
              ...(raw.store.readers === undefined ? {} : { readers: raw.store.readers }),
              ...(raw.store.clientsAt === undefined ? {} : { clientsAt: raw.store.clientsAt }),
              ...(raw.store.readersAt === undefined ? {} : { readersAt: raw.store.readersAt }),
              ...(raw.store.logIn === undefined ? {} : { logIn: raw.store.logIn }),
              ...(raw.store.locks === undefined ? {} : { locks: raw.store.locks }),
              ...(raw.store.leases === undefined ? {} : { leases: raw.store.leases }),
            },
      configs:
        raw.configs === undefined
          ? null
          : {
              namespace: raw.configs.namespace ?? 'default',
              writers: raw.configs.writers ?? 1,
              watchers: raw.configs.watchers ?? 0,
              perSecond: this.#perSecond(raw.configs.rate, 5, ['configs', 'rate']),
            },
      faults: {
        count: this.#count(raw.faults?.count ?? 0, ['faults', 'count']),
        kinds: raw.faults?.kinds ?? [],
        lastsMs: raw.faults?.last === undefined ? { min: 1000, max: 30_000 } : this.#range(raw.faults.last, ['faults', 'last']),
        always: this.#planned(raw.faults?.always, ['faults', 'always'], topology),
      },
      operations: this.#planned(raw.operations, ['operations'], topology),
      outsideCoreOneIn: raw.outsideCoreOneIn ?? 0,
      outsideCore: raw.outsideCore ?? [],
      chaosFromMs: raw.chaos?.from === undefined ? (kubernetes ? 60_000 : 5000) : this.#duration(raw.chaos.from, ['chaos', 'from']),
      chaosMs: raw.chaos?.for === undefined ? { min: 30_000, max: 60_000 } : this.#range(raw.chaos.for, ['chaos', 'for']),
      settleMs: raw.settle === undefined ? 180_000 : this.#duration(raw.settle, ['settle']),
      require: raw.require ?? [],
    };
    const members = etcdMembers(topology);
    for (const key of ['clientsAt', 'readersAt'] as const)
      scenario.store?.[key]?.forEach((member, i) => this.#known('etcd member', member, members, ['store', key, i]));
    const hosts = clusterHosts(topology);
    scenario.outsideCore.forEach((host, i) => this.#known('host', host, hosts, ['outsideCore', i]));
    this.#checkInTime(scenario, scenario.faults.always, ['faults', 'always']);
    this.#checkInTime(scenario, scenario.operations, ['operations']);
    return scenario;
  }

  #problem(path: readonly PathStep[], what: string, right: string): void {
    this.#problems.push({ file: this.#document.file, ...this.#document.place(path), what, right });
  }

  #known(what: string, value: string, names: readonly string[], path: readonly PathStep[]): void {
    if (names.includes(value)) return;
    const near = nearest(value, names);
    this.#problem(path, `unknown ${what} ${value}`, `${near === undefined ? '' : `did you mean ${near}? `}Known: ${names.join(', ')}`);
  }

  /** The preset with the scenario's changes. An unknown preset is a problem; one worker lets the rest be checked. */
  #cluster(raw: RawScenario['cluster']): { readonly cluster: Scenario['cluster']; readonly kubernetes: boolean } {
    const [name, path, changes] = typeof raw === 'string' ? [raw, ['cluster'], {}] : [raw.preset, ['cluster', 'preset'], raw];
    const presets = CLUSTER_PRESETS.map((p) => p.preset);
    this.#known('preset', name, presets, path);
    const preset = CLUSTER_PRESETS.find((p) => p.preset === name) ?? {
      preset: name,
      kubernetes: true,
      controlPlanes: 1,
      workers: 1,
      zones: 1,
    };
    const { pools, ...plain } = changes;
    if (typeof raw !== 'string') this.#checkPools(raw, preset.kubernetes);
    const workers = pools?.reduce((sum, pool) => sum + machinesOf(pool), 0);
    const shape = pools === undefined ? {} : { pools: pools.map(poolOf), workers: workers ?? 0 };
    return { cluster: { ...preset, ...plain, ...shape }, kubernetes: preset.kubernetes };
  }

  #checkPools(raw: Exclude<RawScenario['cluster'], string>, kubernetes: boolean): void {
    const problem = (key: string, what: string, right: string): void => this.#problem(['cluster', key], what, right);
    if (raw.pools !== undefined && raw.workers !== undefined) problem('workers', 'workers and pools say it twice', 'keep pools');
    if (raw.pools !== undefined && !kubernetes) problem('pools', 'a store alone has no workers', 'leave pools out, or take another preset');
    (raw.pools ?? []).forEach((pool, i) => {
      if (pool.max === undefined) return;
      const at = ['cluster', 'pools', i, 'max'] as const;
      if (pool.max <= pool.workers)
        this.#problem(at, `max is ${pool.max} with ${pool.workers} workers`, 'more than workers, or leave it out');
      if (raw.cloud !== true) this.#problem(at, 'nobody makes more machines without a cloud', 'add cloud: true to the cluster');
    });
    if (raw.etcdMembers !== undefined && raw.etcd !== 'external')
      problem('etcdMembers', 'a stacked etcd has a member on each control plane', 'add etcd: external, or change controlPlanes');
    const used: readonly (readonly [string | undefined, readonly PathStep[]])[] = [
      [raw.runtime, ['cluster', 'runtime']],
      ...(raw.pools ?? []).map((pool, i) => [pool.runtime, ['cluster', 'pools', i, 'runtime']] as const),
    ];
    for (const [runtime, path] of used)
      if (runtime === 'docker')
        this.#problem(path, 'Kubernetes 1.35 does not drive docker: its shim was removed in 1.24', 'containerd, cri-o, gvisor or kata');
  }

  #checkNames(raw: RawScenario): void {
    const defects = DEFECTS.map((d) => d.id);
    raw.faults?.kinds?.forEach((kind, i) => this.#known('fault kind', kind, faultKinds(), ['faults', 'kinds', i]));
    raw.defects?.forEach((id, i) => this.#known('defect', id, defects, ['defects', i]));
    raw.require?.forEach((id, i) => this.#known('property', id, propertyIds(), ['require', i]));
  }

  #range(text: string, path: readonly PathStep[]): Range {
    const parsed = parseDurationRangeMs(text);
    if (parsed === undefined) this.#problem(path, `${text} runs backwards or is too long`, 'the smaller duration first, at most 7 days');
    return parsed ?? { min: 0, max: 0 };
  }

  #duration(text: string, path: readonly PathStep[]): number {
    return this.#range(text, path).min;
  }

  #count(value: number | string, path: readonly PathStep[]): Range {
    const [min = 0, max = min] = typeof value === 'number' ? [value] : value.split('..').map(Number);
    if (min > max || max > FAULTS_MAX) {
      const right = `must be a number up to ${FAULTS_MAX}, or a range such as 0..6 with the smaller one first`;
      this.#problem(path, `${path.join('.')} is ${value}`, right);
    }
    return { min, max };
  }

  #perSecond(rate: string | undefined, fallback: number, path: readonly PathStep[]): number {
    const value = rate === undefined ? fallback : Number(rate.slice(0, -2));
    if (value > 0 && value <= RATE_MAX) return value;
    this.#problem(path, `${path.join('.')} is ${rate}`, `must be above 0/s and at most ${RATE_MAX}/s`);
    return fallback;
  }

  #planned(rows: readonly RawPlanned[] | undefined, path: readonly PathStep[], topology: Topology): readonly PlannedPattern[] {
    return (rows ?? []).map((row, i) => {
      const { at, last, kind, ...params } = row;
      const here = [...path, i];
      this.#known('fault kind', kind, faultKinds(), [...here, 'kind']);
      for (const { key, what, right } of paramProblems({ kind, ...params }, topology))
        this.#problems.push({ file: this.#document.file, ...this.#document.place(here, key), what, right });
      return {
        atMs: this.#range(at, [...here, 'at']),
        lastsMs: last === undefined ? null : this.#range(last, [...here, 'last']),
        params: { kind, ...params },
      };
    });
  }

  /** Nothing may be planned for after chaos: it would never happen. */
  #checkInTime(scenario: Scenario, rows: readonly PlannedPattern[], path: readonly PathStep[]): void {
    const last = scenario.chaosFromMs + scenario.chaosMs.max;
    rows.forEach(({ atMs }, i) => {
      if (atMs.min < last) return;
      const what = `at lies ${formatDurationMs(atMs.min)} after the start, when chaos is over`;
      const right = `chaos ends after ${formatDurationMs(last)} at the latest: plan it earlier, or make chaos.for longer`;
      this.#problem([...path, i, 'at'], what, right);
    });
  }
}
