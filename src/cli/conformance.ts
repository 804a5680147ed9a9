import { Command, CommanderError } from 'commander';
import { isKindName, KIND_NAMES, loadKind } from '../harness/conformance/kinds.ts';
import { type ConformanceFailure, runConformance } from '../harness/conformance/run-conformance.ts';
import { fileError, UserError } from '../harness/user-error.ts';
import { EXIT } from './exit-codes.ts';

interface Options {
  readonly json?: boolean;
  readonly only?: string;
}

/** A difference is printed in one line, however it was made. */
const differenceLettersMax = 1200;

function oneLine(text: string): string {
  const line = text.replace(/\s*\n\s*/g, ' | ').trim();
  return line.length > differenceLettersMax ? `${line.slice(0, differenceLettersMax)}…` : line;
}

function failureText({ file, name, difference }: ConformanceFailure): string {
  return `${file}${name === '' ? '' : `: ${name}`}: ${oneLine(difference)}`;
}

async function conformance(kindName: string, folder: string, options: Options): Promise<number> {
  if (!isKindName(kindName)) throw fileError(kindName, 'no such kind of recordings', `one of ${KIND_NAMES.join(', ')}`);
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  const summary = runConformance({
    kind: await loadKind(kindName),
    folder,
    ...(options.only === undefined ? {} : { only: options.only }),
    onFailure: (failure) =>
      write(
        options.json === true
          ? JSON.stringify({ type: 'failure', kind: kindName, ...failure, difference: oneLine(failure.difference) })
          : failureText(failure),
      ),
  });
  if (options.json === true) write(JSON.stringify({ type: 'summary', kind: kindName, ...summary }));
  else write(`${kindName}: ${summary.passed} of ${summary.total} passed`);
  return summary.passed === summary.total ? EXIT.passed : EXIT.violated;
}

async function main(): Promise<number> {
  let code: number = EXIT.passed;
  const command = new Command('conformance')
    .description('Replays recordings of the real programs and says where seatrial answers differently.')
    .argument('<kind>', KIND_NAMES.join(', '))
    .argument('<dir>', 'a folder, searched through, or a file; what a file is shows in its content')
    .option('--json', 'print JSON lines, the summary last')
    .option('--only <name>', 'only files or cases whose name contains this')
    .exitOverride()
    .action(async (kind: string, folder: string, options: Options) => {
      code = await conformance(kind, folder, options);
    });
  try {
    await command.parseAsync(process.argv);
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.passed : EXIT.usage;
    if (error instanceof UserError) {
      process.stderr.write(`${error.message}\n`);
      return EXIT.usage;
    }
    const { reportInternalError } = await import('./internal-error.ts');
    return reportInternalError(error);
  }
}

process.exitCode = await main();
