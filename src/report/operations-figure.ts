import type { HistoryOperation, OperationsFigure } from './figure.ts';
import type { History, Operation } from './history.ts';
import { shortKey } from './request-words.ts';

/** Operations on the same key that are shown before the one that has no legal place. */
const BEFORE_MAX = 2;

/** The client history around an operation: what was known before it, and what it was answered. */
export function operationsFigure(history: History, wrong: Operation, eventId: string | undefined): OperationsFigure {
  const answered = wrong.answer?.atUs ?? history.result.endUs;
  const done = history.operations.filter((op) => op !== wrong && op.key === wrong.key && op.answer?.outcome === 'ok');
  const before = done.filter((op) => (op.answer?.atUs ?? 0) <= wrong.invokedAtUs);
  // What had been shown before: the operation with the highest revision, whatever its key.
  const known = history.operations
    .filter((op) => op !== wrong && op.answer?.outcome === 'ok' && op.answer.atUs <= wrong.invokedAtUs)
    .reduce<Operation | undefined>(
      (best, op) => (best === undefined || (op.answer?.revision ?? 0) > (best.answer?.revision ?? 0) ? op : best),
      undefined,
    );
  const after = done.filter((op) => op.invokedAtUs >= answered).slice(0, 1);
  const chosen = [...new Set([...before.slice(-BEFORE_MAX), ...(known === undefined ? [] : [known]), ...after])];
  const order = [...chosen].sort((a, b) => seen(a) - seen(b) || Number(isRead(a)) - Number(isRead(b)) || a.invokedAtUs - b.invokedAtUs);
  const operations = [...chosen, wrong]
    .sort((a, b) => a.invokedAtUs - b.invokedAtUs)
    .map((op): HistoryOperation => {
      const position = order.indexOf(op);
      return {
        client: op.client,
        fromUs: op.invokedAtUs,
        ...(op.answer === undefined ? {} : { toUs: op.answer.atUs }),
        label: label(op, wrong.key),
        ...(position < 0 ? {} : { position: position + 1, stateAfter: [`revision ${op.answer?.revision ?? '?'}`] }),
        ...(op === wrong && eventId !== undefined ? { eventId } : {}),
      };
    });
  return {
    kind: 'operations',
    title: `Client history of ${shortKey(wrong.key)}`,
    subtitle: `through ${[...new Set(operations.map((op) => op.client))].length} clients; the operation without a number has no legal place`,
    note: known === undefined ? '' : `Before it began, ${known.client} had been shown revision ${known.answer?.revision}.`,
    operations,
  };
}

/** The operation that had shown the highest revision before another one began. */
function knownBefore(history: History, operation: Operation): Operation | undefined {
  return history.operations
    .filter((op) => op !== operation && op.answer?.outcome === 'ok' && op.answer.atUs <= operation.invokedAtUs)
    .reduce<Operation | undefined>(
      (best, op) => (best === undefined || (op.answer?.revision ?? 0) > (best.answer?.revision ?? 0) ? op : best),
      undefined,
    );
}

/** True when an answer is older than what had been shown before the operation began. */
export function isStale(history: History, operation: Operation): boolean {
  return (operation.answer?.revision ?? 0) < (knownBefore(history, operation)?.answer?.revision ?? 0);
}

/** The revision that an operation saw or made. */
function seen(operation: Operation): number {
  return isRead(operation) && operation.kind === 'range-serializable'
    ? (operation.answer?.modRevision ?? 0)
    : (operation.answer?.revision ?? 0);
}

function isRead(operation: Operation): boolean {
  return operation.kind.startsWith('range');
}

function label(operation: Operation, key: string): string {
  const verb = isRead(operation) ? 'get' : operation.kind;
  const of = operation.key === key ? '' : ` ${shortKey(operation.key)}`;
  const { answer } = operation;
  if (answer === undefined || answer.outcome !== 'ok') return `${verb}${of}`;
  return isRead(operation)
    ? `${verb}${of} → ${answer.modRevision === 0 ? 'nothing' : `write ${answer.modRevision}`}`
    : `${verb}${of} → rev ${answer.revision}`;
}
