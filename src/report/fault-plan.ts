import { Document, visit } from 'yaml';
import { faultOf } from '../faults/registry.ts';
import type { PlannedFault } from '../harness/trial-input.ts';
import type { FaultBand, FaultPlan, FaultPlanRow } from './document.ts';
import type { History } from './history.ts';

/** What the counter of a kind of fault counts. */
const COUNTS: readonly (readonly [start: string, what: string])[] = [
  ['partition', 'messages stopped'],
  ['link-loss', 'messages lost'],
  ['link-latency', 'messages delayed'],
  ['link-duplication', 'messages doubled'],
  ['link-reorder', 'messages overtaken'],
  ['crash-host', 'hosts lost'],
  ['power-outage', 'hosts lost'],
  ['crash', 'processes killed'],
  ['app-hang', 'containers stopped'],
  ['drain', 'nodes drained'],
  ['pause', 'processes stopped'],
  ['disk-stall', 'syncs stalled'],
  ['disk-slow', 'syncs slowed'],
  ['disk-full', 'writes refused'],
  ['clock', 'clocks changed'],
  ['connection-reset', 'connections reset'],
  ['watch-stall', 'events held back'],
];

/** The plan with what each row touched. */
export function planOf(history: History, without: { readonly shrunk: boolean }): FaultPlan {
  const { faults, operations, defects } = history.input;
  const rows = [...faults, ...operations].map((planned) => rowOf(history, planned));
  const idle = rows.filter((row) => row.touched.every(({ count }) => count === 0));
  const n = faults.length;
  const many = `${n === 0 ? 'No fault' : n === 1 ? 'One fault' : `${n} faults`}${operations.length === 0 ? '' : ` and ${operations.length} operation${operations.length === 1 ? '' : 's'}`}`;
  const title =
    rows.length === 0
      ? 'No fault was planned'
      : without.shrunk
        ? `${many} ${n + operations.length === 1 ? 'is' : 'are'} left: nothing else was needed`
        : idle.length === 0
          ? `${many}, all of which touched something`
          : `${many}; ${idle.map((row) => row.id).join(', ')} touched nothing`;
  const plan = { faults, ...(operations.length === 0 ? {} : { operations }), ...(defects.length === 0 ? {} : { defects }) };
  return { title, rows, yaml: yamlOf(plan) };
}

/** The plan as it stands in the trial file, with the names that a fault acts on in one line. */
function yamlOf(plan: object): string {
  const document = new Document(plan, { aliasDuplicateObjects: false });
  visit(document, {
    Seq: (_, list, path) => {
      // Lists of names inside a fault, not the lists of faults.
      if (path.length > 4) list.flow = true;
    },
  });
  return document.toString({ lineWidth: 140 }).trimEnd();
}

function rowOf(history: History, planned: PlannedFault): FaultPlanRow {
  const effect = history.result.effects.find((candidate) => candidate.id === planned.id);
  const fault = faultOf(planned.params.kind);
  const what = shortLabel(effect?.label ?? fault.describe(planned.params), planned.params.kind);
  const counted = COUNTS.find(([start]) => planned.params.kind.startsWith(start))?.[1] ?? 'requests made';
  return {
    id: planned.id,
    kind: planned.params.kind,
    what,
    injectUs: effect?.injectedAtUs ?? planned.atMs * 1000,
    ...(effect?.healedAtUs === undefined ? {} : { healUs: effect.healedAtUs }),
    touched: effect === undefined ? [] : [{ what: counted, count: effect.touched }],
  };
}

/** The label without the words that the kind says already. */
function shortLabel(label: string, kind: string): string {
  const said = new Set([...kind.split('-'), 'cut']);
  const words = label.split(' ');
  const first = words.findIndex((word) => !said.has(word));
  return first < 0 ? label : words.slice(first).join(' ');
}

/** The bands over the shown lanes: exactly those of the programs that a fault acts on. */
export function bandsOf(history: History, shown: readonly string[]): readonly FaultBand[] {
  return history.result.effects.flatMap((effect): readonly FaultBand[] => {
    if (faultOf(effect.kind).operation) return [];
    const programs = effect.lanes.flatMap((lane) => history.actors.programsOf(lane));
    const lanes = shown.filter((lane) => programs.includes(lane));
    if (lanes.length === 0) return [];
    return [
      {
        id: effect.id,
        label: effect.label,
        lanes,
        injectUs: effect.injectedAtUs,
        ...(effect.healedAtUs === undefined ? {} : { healUs: effect.healedAtUs }),
      },
    ];
  });
}
