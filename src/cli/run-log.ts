import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { destination, pino } from 'pino';

/** Where the last run's results are streamed, one JSON line a trial: readable while the run goes on, and after it was interrupted. */
export const RUN_LOG_FILE = join('.seatrial', 'last-run.ndjson');

/** The log of one run. It lives outside the simulation: what is simulated has no files and no wall clock. */
export interface RunLog {
  trial(row: object): void;
  failure(row: object): void;
  close(): void;
}

/** Begins the log anew. Lines carry pino's level (30: a trial, 40: a failure) and the wall-clock time of writing. */
export function openRunLog(): RunLog {
  mkdirSync('.seatrial', { recursive: true });
  const file = destination({ dest: RUN_LOG_FILE, append: false, sync: true });
  const logger = pino({ base: null }, file);
  return {
    trial: (row) => logger.info(row),
    failure: (row) => logger.warn(row),
    close: () => file.end(),
  };
}
