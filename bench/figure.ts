import { GOALS } from './goals.ts';

/** One measured number. Rates are per CPU second of the whole process unless the unit says wall. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

/** One file of benchmarks. */
export interface Topic {
  readonly name: string;
  /** Only run with `--large`. */
  readonly large?: boolean;
  run(): Iterable<Figure> | AsyncIterable<Figure>;
}

/** A figure held against one goal. `ratio` is the speed of seatrial divided by the speed of the peer; gate and aim are such ratios too. */
export interface Judged extends Figure {
  readonly goal?: number;
  readonly peer?: string;
  readonly gate?: number;
  readonly aim?: number;
  readonly ratio?: number;
}

/** The figure once for every goal that it answers to, or once without any. */
export function judged(figure: Figure): readonly Judged[] {
  const goals = GOALS.filter((goal) => goal.figure === figure.name);
  if (goals.length === 0) return [figure];
  return goals.map(({ goal, peer, peerValue, better, gate, aim }) => {
    const ratio = better === 'higher' ? figure.value / peerValue : peerValue / figure.value;
    return { ...figure, goal, peer, gate, aim, ratio: rounded(ratio) };
  });
}

/** The line that `--json` prints. */
export function jsonLine({ name, value, unit, goal, gate, aim, ratio }: Judged): string {
  return JSON.stringify({ schemaVersion: 1, type: 'figure', name, value: rounded(value), unit, goal, gate, aim, ratio });
}

const WIDTHS = [34, 12, 22, 5, 22, 9, 7, 7] as const;

/** The table's header. */
export function tableHeader(): string {
  return row(['figure', 'value', 'unit', 'goal', 'against', 'ratio', 'gate', 'aim']);
}

/** One aligned line of the table, with what is missing to the gate. */
export function tableRow(figure: Judged): string {
  const { name, value, unit, goal, peer, gate, aim, ratio } = figure;
  const cells = [name, String(rounded(value)), unit, goal === undefined ? '' : String(goal), peer ?? ''];
  const times = (x: number | undefined): string => (x === undefined ? '' : `${x}×`);
  return `${row([...cells, times(ratio), times(gate), times(aim)])} ${verdict(figure)}`.trimEnd();
}

function verdict({ ratio, gate, aim }: Judged): string {
  if (ratio === undefined || gate === undefined || aim === undefined) return '';
  if (ratio >= aim) return 'aim reached';
  return ratio >= gate ? 'gate reached' : `${rounded(gate / ratio)}× short of the gate`;
}

function row(cells: readonly string[]): string {
  return cells.map((cell, i) => (i === 1 || i >= 5 ? cell.padStart(WIDTHS[i] ?? 0) : cell.padEnd(WIDTHS[i] ?? 0))).join(' ');
}

/** Three significant digits are more than repeats. */
export function rounded(value: number): number {
  return value >= 1000 ? Math.round(value) : Number(value.toPrecision(3));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
