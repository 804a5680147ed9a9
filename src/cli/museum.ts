import { defaultJobs } from '../harness/campaign.ts';
import { type Exhibit, exhibitFile, exhibits, type Hunt, hunt } from '../harness/museum.ts';
import { fileError, nearest } from '../harness/user-error.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { paint, print, printJson, Progress, table } from './terminal.ts';

export interface MuseumRunOptions {
  readonly runs: number;
  readonly seeds?: number;
  readonly jobs?: number;
  readonly json?: boolean;
  /** False: `--no-shrink`. */
  readonly shrink: boolean;
}

/** `seatrial museum list`: the known bugs, and what has to find each. */
export function museumList(options: { readonly json?: boolean }): ExitCode {
  if (options.json) {
    for (const { id, sentence, upstream, properties, exhibit, seeds } of exhibits())
      printJson({ schemaVersion: 1, type: 'exhibit', id, sentence, upstream, properties, scenario: `scenarios/${exhibit}`, seeds });
    return EXIT.passed;
  }
  for (const line of table(
    ['id', 'property', 'seeds', 'scenario', 'upstream', 'what'],
    exhibits().map((d) => [d.id, d.properties.join(' or '), d.seeds, `scenarios/${d.exhibit}`, d.upstream, d.sentence]),
  ))
    print(line);
  return EXIT.passed;
}

/** `seatrial museum run`: hunts known bugs, each in its own scenario. */
export async function museumRun(id: string | undefined, options: MuseumRunOptions): Promise<ExitCode> {
  const chosen = id === undefined ? exhibits() : [find(id)];
  const progress = new Progress();
  let interrupted = 0;
  const onSignal = (): void => {
    interrupted++;
    if (interrupted > 1) process.exit(EXIT.interrupted);
  };
  process.on('SIGINT', onSignal);
  const hunts: Hunt[] = [];
  for (const defect of chosen) {
    if (interrupted > 0) break;
    const result = await hunt(defect, {
      runs: options.runs,
      ...(options.seeds === undefined ? {} : { seeds: options.seeds }),
      jobs: options.jobs ?? defaultJobs(),
      shrink: options.shrink,
      interrupted: () => interrupted > 0,
      onTrial: (name, trials) => progress.update(`${name}: ${trials} trials`),
    });
    progress.clear();
    // A hunt that was broken off says nothing.
    if (interrupted > 0) break;
    hunts.push(result);
    if (options.json) printJson({ schemaVersion: 1, type: 'hunt', ...row(result), seeds: result.seeds, seed: result.caught?.seed ?? null });
    else printHunt(defect, result);
  }
  process.off('SIGINT', onSignal);
  progress.clear();
  const good = hunts.filter((h) => h.found && h.cleanWithout).length;
  if (options.json) printJson({ schemaVersion: 1, type: 'museum', exhibits: hunts.map(row) });
  else
    print(
      `${good === chosen.length ? paint('✓', 'green') : paint('✖', 'red')} ${good} of ${chosen.length} exhibits found, and clean without the defect`,
    );
  if (interrupted > 0) return EXIT.interrupted;
  return good === chosen.length ? EXIT.passed : EXIT.violated;
}

function row({
  id,
  found,
  medianSeeds,
  shrunkFaults,
  cleanWithout,
}: Hunt): Pick<Hunt, 'id' | 'found' | 'medianSeeds' | 'shrunkFaults' | 'cleanWithout'> {
  return { id, found, medianSeeds, shrunkFaults, cleanWithout };
}

function printHunt(defect: Exhibit, result: Hunt): void {
  const { found, cleanWithout, medianSeeds, shrunkFaults, seeds, caught, unclean } = result;
  const mark = found && cleanWithout ? paint('✓', 'green') : paint('✖', 'red');
  print(`${mark} ${defect.id.padEnd(4)} ${defect.sentence}`);
  if (caught !== null) {
    const { property, witness } = caught.violation;
    const size = shrunkFaults === null ? '' : `, shrunk to ${shrunkFaults} faults and operations`;
    print(
      `       ${property}/${witness.clause} after ${medianSeeds} seeds (median of ${seeds.length} runs, at most ${Math.max(...seeds)})${size}`,
    );
  }
  if (!found) print(`       not found by ${defect.properties.join(' or ')} in every run within ${Math.max(0, ...seeds)} seeds`);
  if (unclean !== null)
    print(`       not clean without it: ${unclean.violation.property}/${unclean.violation.witness.clause} at seed ${unclean.seed}`);
  print(`       ${exhibitFile(defect)}`);
}

/** @throws UserError for an id that no exhibit has */
function find(id: string): Exhibit {
  const found = exhibits().find((d) => d.id === id);
  if (found !== undefined) return found;
  const known = exhibits().map((d) => d.id);
  const near = nearest(id, known);
  throw fileError('museum', `unknown exhibit ${id}`, `${near === undefined ? '' : `did you mean ${near}? `}Known: ${known.join(', ')}`);
}
