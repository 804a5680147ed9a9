import type { Operation } from '../history.ts';
import { HistoryError, LineRecorder } from '../line-recorder.ts';

const event = /^INFO\s+jepsen\.util\s+-\s+(\d+)\s+:(invoke|ok|fail)\s+:(read|write|cas)\s+(.*?)\s*$/;

/** Whether a text is a log of Jepsen's etcd test of 2014, as porcupine keeps them. */
export function isEtcdLog(text: string): boolean {
  return /^INFO\s+jepsen\.util\s+-\s+\S+\s+:(invoke|ok|fail|info)\s+:/m.test(text);
}

function numberOf(line: number, text: string): number {
  if (!/^-?\d+$/.test(text)) throw new HistoryError(line, `${JSON.stringify(text)} is not a number`);
  return Number(text);
}

function inputOf(line: number, f: string, value: string): unknown {
  if (f === 'read') return undefined;
  if (f === 'write') return numberOf(line, value);
  const pair = /^\[(-?\d+) (-?\d+)\]$/.exec(value);
  if (pair === null) throw new HistoryError(line, `${JSON.stringify(value)} is not a pair of numbers`);
  return [Number(pair[1]), Number(pair[2])];
}

/**
 * Reads such a log. Lines of other forms (nemesis, `:info`) say nothing. A failed cas is an answer: its value did not match. A read
 * that timed out ends without one; any other operation that timed out stays open.
 * @throws HistoryError
 */
export function parseEtcdLog(text: string): readonly Operation[] {
  const recorder = new LineRecorder();
  text.split('\n').forEach((content, i) => {
    const match = event.exec(content);
    if (match === null) return;
    const line = i + 1;
    const [, process = '', type, f = '', value = ''] = match;
    if (type === 'invoke') return recorder.invoke(line, { process, f, input: inputOf(line, f, value) });
    const { f: asked } = recorder.pending(line, process);
    if (asked !== f) throw new HistoryError(line, `process ${process} ends a ${f}, but began a ${asked}`);
    if (value === ':timed-out') {
      if (f === 'read') recorder.complete(line, process, { outcome: 'unknown' });
      return;
    }
    if (f === 'read') recorder.complete(line, process, { outcome: 'ok', output: value === 'nil' ? null : numberOf(line, value) });
    else recorder.complete(line, process, { outcome: type === 'ok' ? 'ok' : 'fail' });
  });
  return recorder.finish();
}
