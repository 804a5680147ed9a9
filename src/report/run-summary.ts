import { MILLISECOND, type Micros, SECOND } from '../sim/time.ts';
import type { RunSummary } from './document.ts';
import type { History } from './history.ts';

const BINS_MAX = 240;
/** Widths that a reader can name. */
const WIDTHS: readonly Micros[] = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 60_000].map((ms) => ms * MILLISECOND);

/** How long the run was, its parts, and how busy it was when. */
export function runSummary(history: History): RunSummary {
  const { result, input, trace } = history;
  const { endUs } = result;
  const binUs = WIDTHS.find((width) => endUs / width <= BINS_MAX) ?? 60 * SECOND;
  const counts = new Array<number>(Math.max(1, Math.ceil(endUs / binUs))).fill(0);
  const count = (atUs: Micros): void => {
    const bin = Math.min(counts.length - 1, Math.floor(atUs / binUs));
    counts[bin] = (counts[bin] ?? 0) + 1;
  };
  for (const message of trace.messages) count(message.sentAtUs);
  for (const fact of trace.facts) count(fact.atUs);
  const chaosFrom = Math.min(endUs, input.timing.chaosFromMs * MILLISECOND);
  const healAt = Math.min(endUs, result.healedAtUs ?? input.timing.healAtMs * MILLISECOND);
  return {
    endUs,
    eventsTotal: result.events,
    phases: [
      { label: 'boot', fromUs: 0, toUs: chaosFrom },
      { label: 'chaos', fromUs: chaosFrom, toUs: healAt },
      { label: 'healed, to the end', fromUs: healAt, toUs: endUs },
    ].filter((phase) => phase.toUs > phase.fromUs),
    histogram: { binUs, counts },
  };
}
