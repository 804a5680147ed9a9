/** What goes to people: results on stdout, progress on stderr. No animation and no colour off a terminal. */

const colours = { red: 31, green: 32, yellow: 33, bold: 1, dim: 2 } as const;

function coloured(stream: NodeJS.WriteStream): boolean {
  if (process.env['NO_COLOR'] !== undefined && process.env['NO_COLOR'] !== '') return false;
  if (process.env['FORCE_COLOR'] !== undefined && process.env['FORCE_COLOR'] !== '0') return true;
  return stream.isTTY === true;
}

/** The text in a colour, where stdout shows colours. */
export function paint(text: string, colour: keyof typeof colours): string {
  return coloured(process.stdout) ? `\u001b[${colours[colour]}m${text}\u001b[0m` : text;
}

export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** A table of columns that are as wide as their widest cell; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): readonly string[] {
  const cells = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, i) => Math.max(...cells.map((row) => (row[i] ?? '').length)));
  return cells.map((row, r) =>
    row
      .map((cell, i) => (r > 0 && typeof rows[r - 1]?.[i] === 'number' ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

const PROGRESS_EVERY_MS = 10_000;

/** One line of progress on stderr: redrawn on a terminal, every ten seconds elsewhere. */
export class Progress {
  readonly #tty = process.stderr.isTTY === true;
  #last = Date.now();
  #drawn = false;

  update(line: string): void {
    const now = Date.now();
    if (now - this.#last < (this.#tty ? 100 : PROGRESS_EVERY_MS)) return;
    this.#last = now;
    if (this.#tty) {
      process.stderr.write(`\r\u001b[K${line}`);
      this.#drawn = true;
    } else process.stderr.write(`${line}\n`);
  }

  /** Clears the line so that something else can be printed. */
  clear(): void {
    if (this.#drawn) process.stderr.write('\r\u001b[K');
    this.#drawn = false;
  }
}
