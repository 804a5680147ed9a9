import type { ReportEvent, ReportMessage } from '../document.ts';
import type { ReportIndex } from './index-of-document.ts';

/**
 * The filter box: words that must all hold. `node:etcd-2` (either end of a message), `kind:vote`, `kind:lost`, `fault:F2`, a leading `!`
 * turns a word round; any other word must occur in the event's text. Undefined for an empty query: everything matches.
 */
export function eventFilter(index: ReportIndex, query: string): ((event: ReportEvent) => boolean) | undefined {
  const words = query
    .trim()
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '' && word !== '!');
  if (words.length === 0) return undefined;
  const tests = words.map((word) => wordTest(word));
  return (event) => {
    const message = index.messageByEvent.get(event.id);
    return tests.every((test) => test(event, message));
  };
}

type EventTest = (event: ReportEvent, message: ReportMessage | undefined) => boolean;

function wordTest(word: string): EventTest {
  if (word.startsWith('!')) {
    const test = wordTest(word.slice(1));
    return (event, message) => !test(event, message);
  }
  const colon = word.indexOf(':');
  const value = word.slice(colon + 1);
  switch (colon < 0 ? '' : word.slice(0, colon)) {
    case 'node':
      return (event, message) => nodesOf(event, message).some((node) => node.toLowerCase() === value);
    case 'kind':
      return (event, message) => kindsOf(event, message).some((kind) => kind.toLowerCase() === value);
    case 'fault':
      return (event, message) => [event.faultId, message?.lost?.faultId].some((id) => id?.toLowerCase() === value);
    default:
      return (event, message) => textOf(event, message).includes(word);
  }
}

export function nodesOf(event: ReportEvent, message: ReportMessage | undefined): readonly string[] {
  return message === undefined ? [event.lane] : [message.from.lane, message.to.lane];
}

function kindsOf(event: ReportEvent, message: ReportMessage | undefined): readonly string[] {
  return [event.kind, ...event.kind.split('/'), event.mark, ...(message?.lost === undefined ? [] : ['lost', 'drop'])];
}

function textOf(event: ReportEvent, message: ReportMessage | undefined): string {
  const detail = event.detail.map(([name, value]) => `${name} ${value}`).join(' ');
  return [event.id, event.title, event.label, event.kind, ...nodesOf(event, message), detail, message?.lost?.why ?? '']
    .join(' ')
    .toLowerCase();
}
