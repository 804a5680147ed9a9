import { spawn } from 'node:child_process';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { print } from './terminal.ts';
import { findTrial } from './trial-lookup.ts';
import { writeReport } from './write-report.ts';

/** `seatrial report`: runs the trial again with the recorder on and writes its HTML report. */
export async function report(nameOrPath: string, options: { readonly open?: boolean; readonly out: string }): Promise<ExitCode> {
  const { trial } = findTrial(nameOrPath);
  const path = writeReport(trial, options.out);
  print(path);
  if (options.open) {
    const opener = process.platform === 'darwin' ? 'open' : process.platform === 'win32' ? 'explorer' : 'xdg-open';
    const child = spawn(opener, [path], { stdio: 'ignore', detached: true });
    child.on('error', () => print(`cannot start ${opener}; open the file by hand`));
    child.unref();
  }
  return EXIT.passed;
}
