/**
 * Lays out a client history by order, not by time: every start and end gets a column in time order, wide enough for the operations' texts.
 * What returned before something else began therefore stands left of it, which is all that the argument needs.
 */
import type { HistoryOperation } from '../../figure.ts';

export interface OperationBox {
  readonly operation: HistoryOperation;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

export interface OperationsLayout {
  readonly boxes: readonly OperationBox[];
  readonly clients: readonly { readonly name: string; readonly y: number }[];
  readonly width: number;
  /** Where the rows of clients end. */
  readonly bottom: number;
}

const COLUMN_GAP = 14;
const ROW_HEIGHT = 72;
export const BOX_HEIGHT = 20;

export function layOutOperations(operations: readonly HistoryOperation[], widthOfText: (text: string) => number): OperationsLayout {
  const clients = [...new Set(operations.map((operation) => operation.client))];
  const labelWidth = clients.reduce((most, client) => Math.max(most, widthOfText(client)), 0) + 16;
  const end = (operation: HistoryOperation) => operation.toUs ?? Number.MAX_SAFE_INTEGER;
  // Ends come before starts of the same instant: real-time order needs "returned before it began".
  const edges = operations
    .flatMap((operation) => [
      { at: operation.fromUs, end: false, operation },
      { at: end(operation), end: true, operation },
    ])
    .sort((a, b) => a.at - b.at || Number(b.end) - Number(a.end) || a.operation.fromUs - b.operation.fromUs);
  const startX = new Map<HistoryOperation, number>();
  const endX = new Map<HistoryOperation, number>();
  let x = labelWidth;
  for (const edge of edges) {
    if (edge.end) {
      const texts = [edge.operation.label, ...(edge.operation.stateAfter ?? [])];
      const least = texts.reduce((most, text) => Math.max(most, widthOfText(text) + 14), 24);
      x = Math.max(x + COLUMN_GAP / 2, (startX.get(edge.operation) ?? 0) + least);
      endX.set(edge.operation, x);
    } else {
      x += COLUMN_GAP;
      startX.set(edge.operation, x);
    }
  }
  const rows = rowsOf(operations, clients, end);
  return {
    boxes: operations.map((operation) => {
      const left = startX.get(operation) ?? 0;
      return { operation, x: left, y: 20 + (rows.rowOf.get(operation) ?? 0) * ROW_HEIGHT, width: (endX.get(operation) ?? left) - left };
    }),
    clients: clients.map((name) => ({ name, y: 20 + (rows.firstRow.get(name) ?? 0) * ROW_HEIGHT })),
    width: x + 8,
    bottom: 20 + rows.count * ROW_HEIGHT,
  };
}

/** A client's operations share a row unless they overlap (one that was never answered goes on for ever). */
function rowsOf(operations: readonly HistoryOperation[], clients: readonly string[], end: (operation: HistoryOperation) => number) {
  const rowOf = new Map<HistoryOperation, number>();
  const firstRow = new Map<string, number>();
  let count = 0;
  for (const client of clients) {
    const free: number[] = [];
    for (const operation of operations.filter((candidate) => candidate.client === client).sort((a, b) => a.fromUs - b.fromUs)) {
      const known = free.findIndex((until) => until <= operation.fromUs);
      const row = known < 0 ? free.length : known;
      free[row] = end(operation);
      rowOf.set(operation, count + row);
    }
    firstRow.set(client, count);
    count += Math.max(1, free.length);
  }
  return { rowOf, firstRow, count };
}
