import { EXIT, type ExitCode } from './exit-codes.ts';

/** Tells about a fault of seatrial itself. The stack is for whoever mends it, so it is shown only when asked for. */
export function reportInternalError(error: unknown): ExitCode {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  process.stderr.write(`seatrial itself failed, which says nothing about your cluster.\n  ${message}\n`);
  if (process.env['SEATRIAL_DEBUG'] !== undefined && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  else process.stderr.write('  Please report it; SEATRIAL_DEBUG=1 prints where it happened.\n');
  return EXIT.internal;
}
