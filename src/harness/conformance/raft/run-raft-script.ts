import { confChangeCommands, confChangeRunner } from './confchange-script.ts';
import { interactionRunner } from './interaction.ts';
import { quorumCommands, quorumRunner } from './quorum-script.ts';
import { type Directive, parseScript } from './script.ts';

/** What a script drives. */
export type RaftScriptKind = 'interaction' | 'confchange' | 'quorum';

/** How a script went. */
export interface RaftScriptResult {
  readonly passed: boolean;
  /** The first command whose output differs: where, what was expected, what came. */
  readonly firstDifference?: string;
}

function kindOf(directives: readonly Directive[]): RaftScriptKind {
  if (directives.some(({ command }) => confChangeCommands.includes(command))) return 'confchange';
  if (directives.some(({ command }) => quorumCommands.includes(command))) return 'quorum';
  return 'interaction';
}

function runner(kind: RaftScriptKind): (directive: Directive) => string {
  if (kind === 'confchange') return confChangeRunner();
  return kind === 'quorum' ? quorumRunner() : interactionRunner();
}

/** Runs one conformance script of the raft library and compares every output byte for byte. The kind is told by the commands. */
export function runRaftScript(text: string, kind?: RaftScriptKind): RaftScriptResult {
  const directives = parseScript(text);
  const run = runner(kind ?? kindOf(directives));
  for (const directive of directives) {
    let actual: string;
    try {
      actual = run(directive);
    } catch (error) {
      actual = `panic: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    }
    if (actual !== '' && !actual.endsWith('\n')) actual += '\n';
    if (actual === directive.expected) continue;
    const where = `line ${directive.line}: ${directive.command}`;
    return { passed: false, firstDifference: `${where}\n${difference(directive.expected, actual)}` };
  }
  return { passed: true };
}

/** The lines around the first that differs. */
function difference(expected: string, actual: string): string {
  const want = expected.split('\n');
  const have = actual.split('\n');
  let at = 0;
  while (at < want.length && want[at] === have[at]) at++;
  const before = want.slice(Math.max(0, at - 3), at).map((line) => `  ${line}`);
  const minus = want.slice(at, at + 6).map((line) => `- ${line}`);
  const plus = have.slice(at, at + 6).map((line) => `+ ${line}`);
  return [...before, ...minus, ...plus].join('\n');
}
