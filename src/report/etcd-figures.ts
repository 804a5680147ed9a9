import { type Micros, SECOND } from '../sim/time.ts';
import type { IntervalsFigure } from './figure.ts';
import type { History, Operation } from './history.ts';
import { shortKey } from './request-words.ts';
import { clock } from './time-words.ts';

/** Who could reach a majority while the operation was under way. */
export function reachFigure(history: History, operation: Operation): IntervalsFigure {
  const answered = operation.answer?.atUs ?? operation.invokedAtUs;
  const reach = history.members.map((member) => ({
    label: `${member} has a majority`,
    bars: spans(history, 'memberQuorum', member, (args) => args[1] === true),
    ticks: [],
  }));
  const leads = history.members.map((member) => ({
    label: `${member} leads`,
    bars: spans(
      history,
      'raftRole',
      member,
      (args) => args[1] === 'leader',
      (args) => `term ${String(args[2])}`,
    ),
    ticks: [],
  }));
  const cut =
    history.factsOf.get(operation.member)?.findLast((fact) => fact.channel === 'memberQuorum' && fact.atUs <= operation.invokedAtUs)
      ?.atUs ?? operation.invokedAtUs;
  const margin = Math.max(SECOND / 2, (answered - cut) / 3);
  const fromUs = Math.max(0, Math.round(cut - margin));
  const toUs = Math.min(history.result.endUs, Math.round(answered + margin));
  const shown = [...reach, ...leads].map((row) => ({ ...row, bars: within(row.bars, fromUs, toUs) }));
  return {
    kind: 'intervals',
    title: 'Who could commit, and who believed to',
    subtitle: `around ${clock(answered)}`,
    note: `A ring is the request, a tick the answer. ${operation.member} may answer only inside the bar of its majority.`,
    fromUs,
    toUs,
    rows: [
      ...shown.filter((row) => row.bars.length > 0 || row.label.endsWith('majority')),
      {
        label: `${operation.client}: ${shortKey(operation.key)}`,
        bars: [{ fromUs: operation.invokedAtUs, toUs: answered }],
        ticks: [
          { atUs: operation.invokedAtUs, look: 'ring' },
          { atUs: answered, look: 'tick' },
        ],
      },
    ],
    overlaps: [{ fromUs: operation.invokedAtUs, toUs: answered, label: 'no majority' }],
  };
}

/** Who led when, up to a little after the violation. */
export function leadersFigure(history: History, atUs: Micros): IntervalsFigure {
  const rows = history.members.map((member) => ({
    label: member,
    bars: spans(
      history,
      'raftRole',
      member,
      (args) => args[1] === 'leader',
      (args) => `leads t${String(args[2])}`,
    ),
    ticks: votes(history, member),
  }));
  const first = Math.min(
    ...(history.factsBy.get('raftVote') ?? [])
      .filter((fact) => fact.atUs <= atUs)
      .slice(-6)
      .map((fact) => fact.atUs),
    atUs,
  );
  const fromUs = Math.max(0, first - SECOND);
  const toUs = Math.min(history.result.endUs, atUs + 2 * SECOND);
  return {
    kind: 'intervals',
    title: 'Leaders and votes',
    subtitle: `up to ${clock(atUs)}`,
    note: 'A bar is a time in which a member led; a tick a vote that it gave.',
    fromUs,
    toUs,
    rows: rows.map((row) => ({
      ...row,
      bars: within(row.bars, fromUs, toUs),
      ticks: row.ticks.filter((tick) => tick.atUs >= fromUs && tick.atUs <= toUs),
    })),
    overlaps: [],
  };
}

/** The bars that a figure's time shows. */
function within<B extends { readonly fromUs: Micros; readonly toUs?: Micros }>(
  bars: readonly B[],
  fromUs: Micros,
  toUs: Micros,
): readonly B[] {
  return bars.filter((bar) => bar.fromUs < toUs && (bar.toUs ?? toUs) > fromUs);
}

function votes(history: History, member: string): readonly { readonly atUs: Micros; readonly look: 'tick' }[] {
  return (history.factsOf.get(member) ?? [])
    .filter((fact) => fact.channel === 'raftVote')
    .map((fact) => ({ atUs: fact.atUs, look: 'tick' }));
}

/** Times in which a condition on the latest fact of a channel holds; a restart ends it. */
function spans(
  history: History,
  channel: string,
  subject: string,
  holds: (args: readonly unknown[]) => boolean,
  label?: (args: readonly unknown[]) => string,
): IntervalsFigure['rows'][number]['bars'] {
  const bars: { fromUs: Micros; toUs?: Micros; label?: string }[] = [];
  const deaths = (history.notesOf.get(subject) ?? [])
    .filter((note) => note.what === 'killed' || note.what === 'exited')
    .map((note) => ({ atUs: note.atUs, args: undefined }));
  const facts = (history.factsOf.get(subject) ?? [])
    .filter((fact) => fact.channel === channel)
    .map((fact) => ({ atUs: fact.atUs, args: fact.args }));
  for (const { atUs, args } of [...facts, ...deaths].sort((a, b) => a.atUs - b.atUs)) {
    const open = bars.at(-1);
    if (open !== undefined && open.toUs === undefined) open.toUs = atUs;
    if (args !== undefined && holds(args)) bars.push({ fromUs: atUs, ...(label === undefined ? {} : { label: label(args) }) });
  }
  return bars;
}
