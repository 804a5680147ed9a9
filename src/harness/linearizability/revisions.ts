import { OPEN, type Operation } from './history.ts';
import type { SequentialModel } from './model.ts';

/**
 * Histories of a store that numbers its changes, such as etcd: `get`, `put` and `delete` whose answers carry the store's revision. A fresh
 * store is at revision 1; every put makes the next one, a delete of a key that is there too.
 */
export interface RevisionedState {
  readonly revision: number;
  readonly values: ReadonlyMap<string, string>;
}

interface RevisionedOutput {
  readonly revision: number;
  readonly value?: unknown;
}

function textOf(value: unknown): string {
  return JSON.stringify(value ?? null);
}

/** What an answer says; undefined where there is none, or none with a revision. */
function outputOf({ output, outcome }: Operation): RevisionedOutput | undefined {
  if (outcome !== 'ok' || typeof output !== 'object' || output === null || !('revision' in output)) return undefined;
  return output as RevisionedOutput;
}

function changed(state: RevisionedState, { f, key = '', input }: Operation): RevisionedState {
  if (f === 'delete' && !state.values.has(key)) return state;
  const values = new Map(state.values);
  if (f === 'delete') values.delete(key);
  else values.set(key, textOf(input));
  return { revision: state.revision + 1, values };
}

/** The general model: what {@link revisionOrder} cannot decide is searched with it. */
export const revisionedModel: SequentialModel<RevisionedState> = {
  name: 'etcd',
  initial: { revision: 1, values: new Map() },
  ignoresProcess: true,
  step(state, operation) {
    const { f, key = '' } = operation;
    const said = outputOf(operation);
    if (f === 'get') {
      if (said === undefined) return state;
      return said.revision === state.revision && textOf(said.value) === (state.values.get(key) ?? 'null') ? state : undefined;
    }
    if (f !== 'put' && f !== 'delete') throw new Error(`a store with revisions has no operation ${JSON.stringify(f)} (get, put, delete)`);
    const after = changed(state, operation);
    return said === undefined || said.revision === after.revision ? after : undefined;
  },
  keyOf: ({ revision, values }) => `${revision} ${JSON.stringify([...values].sort(([a], [b]) => (a < b ? -1 : 1)))}`,
  isReadOnly: ({ f }) => f === 'get',
};

/**
 * The order that the revisions dictate: changes by revision, each followed by the reads at it. Where it is a linearization nothing needs to
 * be searched, and checking it takes one pass. Undefined where it is none, or where an answer is missing that something may rest on.
 */
export function revisionOrder(operations: readonly Operation[]): readonly Operation[] | undefined {
  const known: { readonly operation: Operation; readonly revision: number; readonly isRead: boolean }[] = [];
  for (const operation of operations) {
    const said = outputOf(operation);
    if (said !== undefined) known.push({ operation, revision: said.revision, isRead: operation.f === 'get' });
    else if (operation.return !== OPEN) return undefined;
  }
  known.sort((a, b) => a.revision - b.revision || Number(a.isRead) - Number(b.isRead) || a.operation.call - b.operation.call);
  const values = new Map<string, string>();
  let revision = 1;
  let latestCall = Number.NEGATIVE_INFINITY;
  for (const { operation, revision: at, isRead } of known) {
    const { f, key = '' } = operation;
    // An operation that had ended before one that stands in front of it began has no place here.
    if (operation.return < latestCall) return undefined;
    latestCall = Math.max(latestCall, operation.call);
    if (isRead) {
      if (at !== revision || textOf((operation.output as RevisionedOutput).value) !== (values.get(key) ?? 'null')) return undefined;
      continue;
    }
    const changes = f === 'put' || values.has(key);
    if (at !== revision + (changes ? 1 : 0)) return undefined;
    revision = at;
    if (f === 'put') values.set(key, textOf(operation.input));
    else values.delete(key);
  }
  return known.map(({ operation }) => operation);
}
