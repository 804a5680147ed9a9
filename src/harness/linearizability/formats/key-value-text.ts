import type { Operation } from '../history.ts';
import { HistoryError, LineRecorder } from '../line-recorder.ts';

const event = /^\{:process (\d+), :type :(invoke|ok), :f :(get|put|append), :key "((?:[^"\\]|\\.)*)", :value (nil|"((?:[^"\\]|\\.)*)")\}$/;

/** Whether a text is a key-value history in porcupine's form. */
export function isKeyValueText(text: string): boolean {
  return /^\{:process \d+, :type :/m.test(text);
}

/** Reads such a history; get's value stands in its `ok` line. @throws HistoryError */
export function parseKeyValueText(text: string): readonly Operation[] {
  const recorder = new LineRecorder();
  text.split('\n').forEach((content, i) => {
    const line = i + 1;
    if (content.trim() === '') return;
    const match = event.exec(content.trim());
    if (match === null) throw new HistoryError(line, 'not an event of a key-value history');
    const [, process = '', type, f = '', key = '', , value] = match;
    if (type === 'invoke') recorder.invoke(line, { process, f, key, input: f === 'get' ? undefined : (value ?? '') });
    else {
      const pending = recorder.pending(line, process);
      if (pending.f !== f || pending.key !== key)
        throw new HistoryError(line, `process ${process} ends a ${f} of ${key}, but began a ${pending.f} of ${pending.key}`);
      recorder.complete(line, process, { outcome: 'ok', ...(f === 'get' ? { output: value ?? '' } : {}) });
    }
  });
  return recorder.finish();
}
