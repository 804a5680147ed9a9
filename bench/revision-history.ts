import type { Operation } from '../src/harness/linearizability/history.ts';

const CLIENTS = 20;
const KEYS = 50;

/**
 * A history of a store with revisions as clients see it: each operation takes effect at a moment within its interval. Half are reads. The
 * same for every run.
 */
export function revisionHistory(count: number): readonly Operation[] {
  let seed = 12345;
  const draw = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
  const values = new Map<string, string>();
  let revision = 1;
  const free = new Int32Array(CLIENTS);
  const planned = Array.from({ length: count }, (_, i) => {
    const client = i % CLIENTS;
    const call = (free[client] ?? 0) + 1 + draw(10);
    const effect = call + draw(20);
    const end = effect + 1 + draw(20);
    free[client] = end;
    return { i, client, call, effect, end, key: `k${draw(KEYS)}`, f: draw(2) === 0 ? 'get' : 'put' };
  });
  planned.sort((a, b) => a.effect - b.effect || a.i - b.i);
  const done = planned.map(({ i, client, call, end, key, f }): Operation => {
    const input = f === 'put' ? `v${i}` : undefined;
    if (input !== undefined) {
      values.set(key, input);
      revision++;
    }
    const output = f === 'get' ? { value: values.get(key) ?? null, revision } : { revision };
    return { process: String(client), f, key, input, output, outcome: 'ok', call: call * count + i, return: end * count + i, line: 0 };
  });
  return done.sort((a, b) => a.call - b.call);
}
