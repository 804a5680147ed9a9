import { SECOND } from '../../../sim/time.ts';
import type { Container } from '../../api/types.ts';
import type { Behaviour } from '../../kubelet/app.ts';
import { parseDuration } from '../duration.ts';
import { runsFor } from './job.ts';

/** What a well-known simple command does: `sleep N`, `true`, `false`, `sh -c "… exit N"`. Undefined: a program of its own. */
export function commandBehaviour(container: Container): Behaviour | undefined {
  const words = [...(container.command ?? []), ...(container.args ?? [])];
  const name = words[0]?.split('/').pop();
  if (name === 'sleep') return sleep(words[1]);
  if (name === 'true') return runsFor('true', 1_000, 0);
  if (name === 'false') return runsFor('false', 1_000, 1);
  if ((name === 'sh' || name === 'bash' || name === 'ash') && words[1] === '-c') return script(words[2] ?? '');
  return undefined;
}

function sleep(text: string | undefined): Behaviour {
  if (text === undefined || text === 'infinity') return runsFor('sleep', Number.POSITIVE_INFINITY, 0);
  const us = parseDuration(text.replace(/d$/, ''));
  return runsFor('sleep', us === undefined ? Number.POSITIVE_INFINITY : text.endsWith('d') ? us * 86_400 : us, 0);
}

/** A shell line of sleeps, echoes and an exit; anything else is a program of its own. */
function script(line: string): Behaviour | undefined {
  const parts = line
    .split(/;|&&|\n/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
  let us = SECOND / 100;
  let code = 0;
  for (const part of parts) {
    const [word = '', argument] = part.split(/\s+/);
    if (word === 'sleep') {
      const length = argument === undefined || argument === 'infinity' ? undefined : parseDuration(argument);
      if (length === undefined) return runsFor('script', Number.POSITIVE_INFINITY, 0);
      us += length;
    } else if (word === 'exit') {
      code = Number(argument ?? '0') || 0;
      break;
    } else if (word === 'false') code = 1;
    else if (word !== 'echo' && word !== 'date' && word !== 'true' && word !== 'ls' && word !== 'cat') return undefined;
  }
  return runsFor('script', us, code);
}
