import type { Operation } from '../history.ts';
import { HistoryError, LineRecorder } from '../line-recorder.ts';

interface JsonEvent {
  readonly process: string | number;
  readonly type: 'invoke' | 'ok' | 'fail' | 'info';
  readonly f: string;
  readonly key?: string;
  readonly value?: unknown;
  readonly revision?: number;
}

const types = ['invoke', 'ok', 'fail', 'info'];
/** Operations that change nothing: one without an answer says nothing. */
const reads = new Set(['read', 'get']);

/** Whether a text is a history as JSON lines (`{"process", "type", "f", "value"}`): some line is an event. */
export function isJsonLines(text: string): boolean {
  return /^\s*\{(?=[^\n]*"process"\s*:)(?=[^\n]*"type"\s*:\s*"(invoke|ok|fail|info)")(?=[^\n]*"f"\s*:)/m.test(text);
}

function eventOf(line: number, content: string): JsonEvent {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    throw new HistoryError(line, 'not JSON');
  }
  const { process, type, f } = (value ?? {}) as Partial<JsonEvent>;
  if (process === undefined || type === undefined || !types.includes(type) || typeof f !== 'string') {
    throw new HistoryError(line, `not an event: it needs process, type (${types.join(', ')}) and f`);
  }
  return value as JsonEvent;
}

/**
 * Reads Jepsen's (knossos') events as JSON lines. A failed operation certainly did not happen and is left out; `info`, or no end at all:
 * unknown, open to the end.
 * @throws HistoryError
 */
export function parseJsonLines(text: string): readonly Operation[] {
  const recorder = new LineRecorder();
  text.split('\n').forEach((content, i) => {
    if (content.trim() === '') return;
    const line = i + 1;
    const event = eventOf(line, content);
    const process = String(event.process);
    if (event.type === 'invoke') {
      const input = reads.has(event.f) || event.value === null ? undefined : event.value;
      recorder.invoke(line, { process, f: event.f, ...(event.key === undefined ? {} : { key: event.key }), input });
      return;
    }
    const pending = recorder.pending(line, process);
    if (pending.f !== event.f) throw new HistoryError(line, `process ${process} ends a ${event.f}, but began a ${pending.f}`);
    if (event.type === 'fail') recorder.discard(line, process);
    else if (event.type === 'info') recorder.abandon(line, process);
    else recorder.complete(line, process, { outcome: 'ok', output: outputOf(event) });
  });
  return recorder.finish().filter((operation) => operation.outcome !== 'unknown' || !reads.has(operation.f));
}

/** What an `ok` line says: a read's value, or value and revision where revisions are recorded. */
function outputOf({ f, value, revision }: JsonEvent): unknown {
  const read = reads.has(f) ? (value ?? null) : undefined;
  return revision === undefined ? read : { ...(read === undefined ? {} : { value: read }), revision };
}
