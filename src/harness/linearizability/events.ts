import { OPEN, type Operation } from './history.ts';

/** The calls (`i`) and returns (`~i`) of operations in order of real time. */
export function eventsOf(operations: readonly Operation[]): Int32Array {
  const points: { readonly at: number; readonly event: number }[] = [];
  operations.forEach((operation, i) => {
    points.push({ at: operation.call, event: i });
    if (operation.return !== OPEN) points.push({ at: operation.return, event: ~i });
  });
  // At one position calls come before returns: operations that touch are concurrent.
  points.sort((a, b) => a.at - b.at || (a.event < 0 ? 1 : 0) - (b.event < 0 ? 1 : 0) || a.event - b.event);
  return Int32Array.from(points, (point) => point.event);
}

/** Per open operation the nearest earlier open one of the same class, else -1; `classOf` tells what is asked for. */
export function twinsOf(operations: readonly Operation[], classOf: (operation: Operation) => string): Int32Array {
  const twins = new Int32Array(operations.length).fill(-1);
  const last = new Map<string, number>();
  const byCall = operations.map((_, i) => i).sort((a, b) => (operations[a] as Operation).call - (operations[b] as Operation).call);
  for (const i of byCall) {
    const operation = operations[i] as Operation;
    if (operation.return !== OPEN) continue;
    const asked = classOf(operation);
    twins[i] = last.get(asked) ?? -1;
    last.set(asked, i);
  }
  return twins;
}
