import type { LogSink } from '../../../raft/log-sink.ts';

/** Names of the log levels, from the most talkative. */
export const logLevels: readonly string[] = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL', 'NONE'];

const quiet = logLevels.length - 1;

/** Position of a level, or -1. */
export function logLevelOf(name: string): number {
  return logLevels.indexOf(name.toUpperCase());
}

/** The text that a command prints; also the log sink of every node, so that both interleave. */
export class ScriptOutput implements LogSink {
  level = 0;
  private text = '';

  /** Whether nothing at all is printed. */
  isQuiet(): boolean {
    return this.level === quiet;
  }

  write(text: string): void {
    if (!this.isQuiet()) this.text += text;
  }

  /** Takes what was printed since the last call. */
  take(): string {
    const { text } = this;
    this.text = '';
    return text;
  }

  /** Runs the action and indents all that it prints. Ends unfinished lines. */
  indented(action: () => void): void {
    const before = this.take();
    try {
      action();
    } finally {
      const lines = this.take().split('\n');
      if (lines[lines.length - 1] === '') lines.pop();
      this.text = before + lines.map((line) => `  ${line}\n`).join('');
    }
  }

  private log(level: number, text: string): void {
    if (level >= this.level) this.write(`${logLevels[level]} ${text}${text.endsWith('\n') ? '' : '\n'}`);
  }

  debug(text: string): void {
    this.log(0, text);
  }
  info(text: string): void {
    this.log(1, text);
  }
  warn(text: string): void {
    this.log(2, text);
  }
  error(text: string): void {
    this.log(3, text);
  }
}
