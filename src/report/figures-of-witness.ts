import { type Micros, SECOND } from '../sim/time.ts';
import { findProperty } from '../properties/registry.ts';
import type { ExpectedSection } from './document.ts';
import { leadersFigure, reachFigure } from './etcd-figures.ts';
import type { ObjectDiffLine, ReportFigure } from './figure.ts';
import type { Focus } from './focus.ts';
import type { History } from './history.ts';
import { logGridAt, logGridOfWitness } from './log-grid.ts';
import { isFact, type Moment } from './moment.ts';
import { isStale, operationsFigure } from './operations-figure.ts';
import { clock, span } from './time-words.ts';

/** Expected against actual: the witness's own figure, and those that its facts allow. */
export function expectedOf(history: History, focus: Focus, idOf: (moment: Moment) => string | undefined): ExpectedSection {
  const { property, witness } = focus.violation;
  const clause = findProperty(property)?.clauses.find((candidate) => candidate.id === witness.clause);
  const figures: ReportFigure[] = [];
  const own = ofWitness(history, focus);
  if (own !== undefined) figures.push(own);
  if (focus.operation !== undefined) {
    if (property === 'split-brain-read-only') figures.push(reachFigure(history, focus.operation));
    if (property !== 'split-brain-read-only' || isStale(history, focus.operation))
      figures.push(operationsFigure(history, focus.operation, idOf(focus.anchor)));
  }
  if (property === 'raft-election-safety') figures.push(leadersFigure(history, witness.atUs));
  if (own === undefined && isFact(focus.anchor) && /^raft(Apply|Append|Commit|Truncate)$/.test(focus.anchor.channel)) {
    figures.push(logGridAt(history, Number(focus.anchor.args[1]), witness.atUs, witness.subjects));
  }
  if (figures.length === 0) {
    figures.push({
      kind: 'text-pair',
      title: `At ${clock(witness.atUs)}`,
      subtitle: witness.subjects.join(', '),
      expected: witness.expected,
      actual: witness.actual,
    });
  }
  return {
    title: `Expected: ${witness.expected}. Actual: ${witness.actual}`,
    ...(clause === undefined ? {} : { lede: `${clause.must} (${property})` }),
    figures,
    held: [],
  };
}

function ofWitness(history: History, { violation }: Focus): ReportFigure | undefined {
  const { witness } = violation;
  const { figure } = witness;
  switch (figure?.kind) {
    case undefined:
      return undefined;
    case 'log-grid':
      return logGridOfWitness(history, figure, witness);
    case 'intervals': {
      const from = Math.min(...figure.rows.map((row) => row.fromUs));
      const begun = Math.max(...figure.rows.map((row) => row.fromUs));
      const ends = figure.rows.map((row, i) => row.toUs ?? endOf(history, witness.facts[i]?.subject, row.fromUs, row.label));
      const last = Math.max(...ends.map((end) => end ?? history.result.endUs));
      const toUs = Math.min(history.result.endUs, Math.max(last, begun + SECOND) + SECOND);
      const overlapEnd = Math.min(...ends.map((end) => end ?? toUs));
      return {
        kind: 'intervals',
        title: 'What ran when',
        subtitle: 'two bars may not overlap',
        fromUs: Math.max(0, from - SECOND),
        toUs,
        rows: figure.rows.map((row, i) => ({
          label: row.label,
          bars: [{ fromUs: row.fromUs, ...(ends[i] === undefined ? {} : { toUs: ends[i] }) }],
          ticks: [],
        })),
        overlaps: overlapEnd > begun ? [{ fromUs: begun, toUs: overlapEnd, label: `${span(overlapEnd - begun)} together` }] : [],
      };
    }
    case 'line': {
      const { points, low, high } = figure;
      const fromUs = Math.max(0, (points[0]?.atUs ?? witness.atUs) - SECOND);
      const toUs = Math.max(witness.atUs, points.at(-1)?.atUs ?? 0) + 5 * SECOND;
      return {
        kind: 'count-line',
        title: figure.label,
        subtitle: `allowed: ${low ?? 'anything'} to ${high ?? 'anything'}`,
        unit: 'pods',
        fromUs,
        toUs,
        points,
        bounds: [{ fromUs, toUs, ...(low === undefined ? {} : { min: low }), ...(high === undefined ? {} : { max: high }) }],
        violationsUs: [witness.atUs],
      };
    }
    case 'object-diff':
      return {
        kind: 'object-diff',
        title: figure.object,
        subtitle: `at ${clock(witness.atUs)}, the end of the trial`,
        lines: figure.rows.flatMap((row): readonly ObjectDiffLine[] =>
          row.expected === row.actual
            ? [{ side: 'both' as const, text: `${row.field}: ${row.actual}` }]
            : [
                { side: 'expected' as const, text: `${row.field}: ${row.expected}` },
                { side: 'actual' as const, text: `${row.field}: ${row.actual}` },
              ],
        ),
      };
  }
}

/** When a container that a row of the witness shows ended after all, as the trace knows. */
function endOf(history: History, node: string | undefined, fromUs: Micros, label: string): Micros | undefined {
  return history.factsBy
    .get('containerStopped')
    ?.find((fact) => fact.atUs > fromUs && fact.args[0] === node && label.includes(String(fact.args[1])))?.atUs;
}
