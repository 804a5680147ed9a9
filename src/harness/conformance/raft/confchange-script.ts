import { type ChangeBase, type Changed, ConfChangeError, enterJoint, leaveJoint, simpleChange } from '../../../raft/confchange.ts';
import { Inflights } from '../../../raft/inflights.ts';
import { configToString, emptyConfig } from '../../../raft/tracker.ts';
import { parseConfChanges } from './conf-change-text.ts';
import type { Directive } from './script.ts';

/** The commands of configuration-change scripts. */
export const confChangeCommands = ['simple', 'enter-joint', 'leave-joint'];

/** Runs configuration-change scripts; made anew for each file. */
export function confChangeRunner(): (directive: Directive) => string {
  let current: Changed = { config: emptyConfig, progress: [] };
  let lastIndex = 0;
  const change = (directive: Directive): Changed => {
    const base: ChangeBase = {
      ...current,
      lastIndex,
      newInflights: () => new Inflights(10, Number.POSITIVE_INFINITY),
    };
    const changes = parseConfChanges(directive.input);
    switch (directive.command) {
      case 'simple':
        return simpleChange(base, changes);
      case 'enter-joint': {
        const autoLeave = directive.arguments.find(({ key }) => key === 'autoleave');
        return enterJoint(base, autoLeave?.values[0] === 'true', changes);
      }
      case 'leave-joint':
        if (changes.length > 0) throw new ConfChangeError('this command takes no input');
        return leaveJoint(base);
      default:
        throw new ConfChangeError('unknown command');
    }
  };
  return (directive) => {
    try {
      current = change(directive);
    } catch (error) {
      if (!(error instanceof ConfChangeError)) throw error;
      return `${error.message}\n`;
    } finally {
      // Failed directives count too.
      lastIndex++;
    }
    const members = current.progress.map((pr) => `${pr.id}: ${pr.toString()}\n`);
    return `${configToString(current.config)}\n${members.join('')}`;
  };
}
