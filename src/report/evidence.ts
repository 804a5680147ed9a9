import { faultOf } from '../faults/registry.ts';
import type { CoverageGrid, Evidence, LogLine, ReportEvent, Shrinking } from './document.ts';
import type { History } from './history.ts';
import { logLines, type TraceLogLine } from './log-lines.ts';
import { type Micros, SECOND } from '../sim/time.ts';

/** Lines of the log that a document holds. */
const LINES_MAX = 60;

/** Lines about what went as it should come after all others, but for those around the violation. */
const ROUTINE_FAR = 20 * SECOND;

/** What backs the story: digest, versions, log, coverage. */
export function evidenceOf(
  history: History,
  events: readonly ReportEvent[],
  violationUs: Micros | undefined,
  shrinking: Shrinking | undefined,
): Evidence {
  const { input, result } = history;
  const lines = logLines(history.trace);
  return {
    digest: (result.digest.match(/.{1,4}/g) ?? [result.digest]).join(' '),
    versions: [
      { label: 'seatrial', text: input.versions.seatrial, mono: true },
      { label: 'Models', text: `Kubernetes ${input.versions.kubernetes}, etcd ${input.versions.etcd}` },
      { label: 'Cluster', text: cluster(history) },
      ...(input.defects.length === 0 ? [] : [{ label: 'Defects on', text: input.defects.join(', '), mono: true }]),
      ...(Object.keys(input.featureGates).length === 0
        ? []
        : [
            {
              label: 'Feature gates',
              text: Object.entries(input.featureGates)
                .map(([gate, on]) => `${gate}=${on}`)
                .sort()
                .join(', '),
              mono: true,
            },
          ]),
      ...(history.trace.messagesOmitted === 0
        ? []
        : [{ label: 'Not recorded', text: `${history.trace.messagesOmitted} messages: the trace was full` }]),
      ...result.notes.slice(0, 5).map((note) => ({ label: 'Note', text: note })),
    ],
    log: chosenLines(lines, events, violationUs),
    logTotal: lines.length,
    coverage: coverageOf(history),
    ...(shrinking === undefined ? {} : { shrinking }),
  };
}

function cluster(history: History): string {
  const { controlPlanes, workers, zones, kubernetes } = history.input.cluster;
  return kubernetes
    ? `${controlPlanes} control planes, ${workers} workers, ${zones} zones`
    : `${controlPlanes} etcd members, ${zones} zones`;
}

/** The lines of the slice's events and of the plan, then those nearest to the violation; in time order. */
function chosenLines(lines: readonly TraceLogLine[], events: readonly ReportEvent[], violationUs: Micros | undefined): readonly LogLine[] {
  const byPlace = new Map<string, ReportEvent>();
  const important = events.filter((event) => event.important);
  for (const event of events) {
    const key = `${event.atUs} ${event.lane}`;
    if (event.mark !== 'message' && event.mark !== 'client' && (event.important || !byPlace.has(key))) byPlace.set(key, event);
  }
  const from = important[0]?.atUs ?? 0;
  const distance = (line: TraceLogLine): number => {
    if (line.source === 'fault' || line.source === 'plan') return -1;
    if (byPlace.get(`${line.atUs} ${line.source}`)?.important === true) return -1;
    const routine = line.routine === true ? ROUTINE_FAR : 0;
    return violationUs === undefined ? line.atUs + routine : Math.abs(line.atUs - violationUs) + routine + (line.atUs < from ? 1e9 : 0);
  };
  const chosen = new Set(
    lines
      .map((line) => ({ line, far: distance(line) }))
      .sort((a, b) => a.far - b.far)
      .slice(0, LINES_MAX)
      .map(({ line }) => line),
  );
  const kept = lines.filter((line) => chosen.has(line));
  const guilty = violationUs === undefined ? -1 : kept.findLastIndex((line) => line.atUs === violationUs);
  return kept.map((line, i) => {
    const event = byPlace.get(`${line.atUs} ${line.source}`);
    return { ...line, ...(event === undefined ? {} : { eventId: event.id }), ...(i === guilty ? { violation: true } : {}) };
  });
}

const COLUMNS = ['etcd leader', 'etcd follower', 'API server', 'controllers', 'nodes'] as const;

/** Which fault hit which component, by what it was at the injection. */
export function coverageOf(history: History): CoverageGrid {
  const { kubernetes } = history.input.cluster;
  const columns = kubernetes ? COLUMNS : COLUMNS.slice(0, 2);
  const kinds = [
    ...new Set(history.result.effects.filter((effect) => !faultOf(effect.kind).operation).map((effect) => effect.kind)),
  ].sort();
  const roles = history.factsBy.get('raftRole') ?? [];
  const columnOf = (program: string, atUs: Micros): string | undefined => {
    const { group } = history.actors.get(program);
    if (group === 'etcd')
      return roles.findLast((fact) => fact.args[0] === program && fact.atUs <= atUs)?.args[1] === 'leader'
        ? 'etcd leader'
        : 'etcd follower';
    return { 'API servers': 'API server', Controllers: 'controllers', Nodes: 'nodes' }[group];
  };
  return {
    columns,
    rows: kinds.map((kind) => {
      const counts = new Map<string, number>();
      for (const effect of history.result.effects) {
        if (effect.kind !== kind) continue;
        const hit = new Set(
          effect.lanes
            .flatMap((lane) => history.actors.programsOf(lane))
            .flatMap((program) => columnOf(program, effect.injectedAtUs) ?? []),
        );
        for (const column of hit) counts.set(column, (counts.get(column) ?? 0) + 1);
      }
      return {
        label: kind,
        counts: columns.map((column) => (kind.startsWith('disk') && !column.startsWith('etcd') ? null : (counts.get(column) ?? 0))),
      };
    }),
  };
}
