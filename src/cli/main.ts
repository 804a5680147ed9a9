import { enableCompileCache } from 'node:module';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { EXIT } from './exit-codes.ts';
import { keepHeapSmall } from '../harness/small-heap.ts';
import { VERSIONS } from '../harness/versions.ts';

enableCompileCache?.();
keepHeapSmall();

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1 || value > 10_000_000)
    throw new InvalidArgumentError('must be a whole number from 1 to 10,000,000.');
  return value;
}

function steps(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('must be a whole number from 1.');
  return value;
}

function collect(text: string, before: readonly string[]): readonly string[] {
  return [...before, ...text.split(',')];
}

function program(finish: (code: number) => void): Command {
  const root = new Command('seatrial')
    .description('Deterministic chaos testing for Kubernetes: a whole cluster on virtual time, from one seed.')
    .version(VERSIONS.seatrial)
    .exitOverride()
    .showHelpAfterError('(add --help for the options)');

  root
    .command('run')
    .description('run scenarios over seeds; shrink, save and explain what fails')
    .argument('<scenario...>', 'scenario files')
    .option('--seeds <n>', 'seeds of every scenario', count)
    .option('--seed <seed>', 'the first seed, or the only one without --seeds', '0x1')
    .option('--jobs <n>', 'worker threads', count)
    .option('--bail', 'stop at the first failure')
    .option('--keep-going', 'with --defect: go on after the defect was found')
    .option('--defect <id>', 'switch a known bug on (repeatable)', collect, [])
    .option('--manifests <dir>', 'apply the manifests of a folder or file too (repeatable)', collect, [])
    .option('--coverage', 'print what every kind of fault touched and how often each property was exercised')
    .option('--json', 'print one JSON line a trial and a summary at the end')
    .option('--out <dir>', 'where reports go', 'reports')
    .action(async (files: string[], options) => finish(await (await import('./run.ts')).run(files, options)));

  root
    .command('replay')
    .description('run a trial file again and hold it against what the file expects')
    .argument('<trial>', 'trial file or id')
    .option('--until <time>', 'stop at this virtual time, such as 12.48s')
    .option('--log', 'print what happened, line by line')
    .option('--json', 'print the verdict as one JSON line')
    .action(async (trial: string, options) => finish(await (await import('./replay.ts')).replay(trial, options)));

  root
    .command('shrink')
    .description('make a failing trial smaller')
    .argument('<trial>', 'trial file or id')
    .option('--json', 'print the result as one JSON line')
    .action(async (trial: string, options) => finish(await (await import('./shrink.ts')).shrink(trial, options)));

  root
    .command('report')
    .description('write the HTML report of a trial')
    .argument('<trial>', 'trial file or id')
    .option('--open', 'open it in the browser')
    .option('--out <dir>', 'where reports go', 'reports')
    .action(async (trial: string, options) => finish(await (await import('./report.ts')).report(trial, options)));

  root
    .command('doctor')
    .description('run seeds twice, in a fresh and in a warm process, and compare the digests')
    .argument('[scenario...]', 'scenario files (default: those of seatrial)')
    .option('--seeds <n>', 'how many', count, 50)
    .option('--jobs <n>', 'processes side by side', count)
    .option('--json', 'print NDJSON')
    .action(async (files: string[], options) => finish(await (await import('./doctor.ts')).doctor(files, options)));

  const museum = root.command('museum').description('documented bugs that can be switched on: list them, or hunt them again');
  museum
    .command('list')
    .description('what each is, who documented it, what has to find it')
    .option('--json', 'print one JSON line an exhibit')
    .action(async (options) => finish((await import('./museum.ts')).museumList(options)));
  museum
    .command('run')
    .description('hunt one or all, and try the same seeds without the defect')
    .argument('[id]', 'such as R2')
    .option('--runs <n>', 'runs, each from seeds of its own', count, 5)
    .option('--seeds <n>', 'budget of seeds a run (default: that of the exhibit)', count)
    .option('--jobs <n>', 'worker threads', count)
    .option('--no-shrink', 'do not make the first catch small')
    .option('--json', 'print NDJSON')
    .action(async (id: string | undefined, options) => finish(await (await import('./museum.ts')).museumRun(id, options)));

  root
    .command('check-history')
    .description('check whether a recorded history of operations is linearizable')
    .argument('<file>', 'JSON lines, an etcd log of Jepsen, or a key-value history of porcupine')
    .option('--model <name>', 'register, kv, mutex, etcd, or a module that exports model (default: by content)')
    .option('--steps <n>', 'budget of the search; beyond it the verdict is "gave up"', steps)
    .option('--json', 'print the verdict as one JSON line')
    .action(async (file: string, options) => finish(await (await import('./check-history.ts')).checkHistoryFile(file, options)));

  root
    .command('digest', { hidden: true })
    .argument('<scenario>')
    .argument('<seed>')
    .action(async (file: string, seed: string) => finish(await (await import('./doctor.ts')).printDigest(file, seed)));
  return root;
}

async function main(): Promise<number> {
  let code: number = EXIT.passed;
  try {
    await program((result) => {
      code = result;
    }).parseAsync(process.argv);
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.passed : EXIT.usage;
    const { UserError } = await import('../harness/user-error.ts');
    if (error instanceof UserError) {
      process.stderr.write(`${error.message}\n`);
      return EXIT.usage;
    }
    const { reportInternalError } = await import('./internal-error.ts');
    return reportInternalError(error);
  }
}

// Whoever reads our output has left (`| head`): what is still to run would be for nobody.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.interrupted);
});

process.exitCode = await main();
