import type { ConformanceKind } from '../conformance-kind.ts';
import { confChangeCommands } from './confchange-script.ts';
import { isInteractionCommand } from './interaction.ts';
import { quorumCommands } from './quorum-script.ts';
import { runRaftScript } from './run-raft-script.ts';

function isCommand(line: string): boolean {
  const command = line.trim().split(' ')[0] ?? '';
  return isInteractionCommand(command) || confChangeCommands.includes(command) || quorumCommands.includes(command);
}

/** The first line of each directive: what follows a blank line or the beginning. Outputs may look the same, so the first ones decide. */
function isRaftScript(text: string): boolean {
  if (/^\s*[{[]/.test(text)) return false;
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.trimStart().startsWith('#'));
  const [first = ''] = lines;
  if (isCommand(first)) return lines.includes('----');
  // A script whose first command is damaged is a script still: most of its blocks begin with a command.
  const heads = text.split(/\n\s*\n/).map((block) => block.split('\n').filter((line) => !line.startsWith('#')));
  const directives = heads.filter((block) => block.includes('----'));
  return directives.length > 1 && directives.filter(([head = '']) => isCommand(head)).length * 2 > directives.length;
}

/** A case is a script file. */
export const kind: ConformanceKind = {
  isOfKind: isRaftScript,
  *run(file, isWanted) {
    if (!isWanted(file.shown)) return;
    const { firstDifference } = runRaftScript(file.text);
    yield { name: '', difference: firstDifference };
  },
};
