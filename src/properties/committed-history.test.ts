import { describe, expect, it } from 'vitest';
import { createFacts } from '../model/facts.ts';
import { CommittedHistory } from './committed-history.ts';

/** A key's state, from all changes that there ever were. */
function slowly(changes: readonly (readonly [revision: number, key: string, type: string])[], key: string, at: number): number | undefined {
  const last = changes.findLast(([revision, changed]) => changed === key && revision <= at);
  return last === undefined || last[2] === 'DELETE' ? undefined : last[0];
}

describe('the committed history', () => {
  it('answers from what it keeps as from the whole, and forgets what is far behind', () => {
    const facts = createFacts();
    const history = new CommittedHistory(facts);
    const all: (readonly [number, string, string])[] = [];
    // Key 'once' is written and left alone, 'gone' is deleted, the others change all the time.
    for (let revision = 2; revision <= 65_000; revision++) {
      const key = revision === 5 ? 'once' : revision === 6 || revision === 7 ? 'gone' : `k${(revision * 7) % 11}`;
      const type = revision === 7 || revision % 5 === 0 ? (revision === 5 ? 'PUT' : 'DELETE') : 'PUT';
      all.push([revision, key, type]);
      facts.keyChanged.emit(revision, 0, key, type, revision);
    }
    expect(history.revision).toBe(65_000);
    expect(history.oldest).toBeGreaterThan(20_000);
    expect(history.change(history.first - 1)).toBeUndefined();
    expect(history.change(history.first)?.revision).toBe(history.oldest);
    expect(history.change(history.positionOf(50_000))?.revision).toBe(50_000);
    for (const key of ['once', 'gone', 'k0', 'k7']) {
      for (const at of [history.oldest, history.oldest + 1, 50_000, 64_990, 65_000]) {
        expect(history.at(key, at)?.revision, `${key} at ${at}`).toBe(slowly(all, key, at));
      }
    }
    const [, key] = all[60_000 - 2] as (typeof all)[number];
    expect(history.changeAt(key, 60_000)?.revision).toBe(60_000);
    expect(history.changeAt(key, 60_001)).toBeUndefined();
  });
});
