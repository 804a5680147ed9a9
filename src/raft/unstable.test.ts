import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Entry, EntryNormal, emptyConfState } from './types.ts';
import { Unstable } from './unstable.ts';

function run(from: number, count: number, term: number): Entry[] {
  return Array.from({ length: count }, (_, i) => ({ term, index: from + i, type: EntryNormal, data: undefined, sizeBytes: 0 }));
}

interface Operation {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
}

describe('the unstable part of the log', () => {
  const operations: fc.Arbitrary<Operation[]> = fc.array(
    fc.record({ kind: fc.nat({ max: 5 }), a: fc.nat({ max: 9 }), b: fc.nat({ max: 3 }) }),
    { maxLength: 60, size: 'max' },
  );

  test('behaves like a plain list, and what it handed out never changes', () => {
    fc.assert(
      fc.property(operations, (list) => {
        const log = new Unstable(5, undefined);
        let model: Entry[] = [];
        let offset = 5;
        let taken = 5;
        let term = 1;
        const given: { list: readonly Entry[]; copy: readonly Entry[] }[] = [];
        const give = (handed: readonly Entry[]): void => {
          given.push({ list: handed, copy: [...handed] });
        };
        for (const { kind, a, b } of list) {
          const end = offset + model.length;
          if (kind === 0) {
            const [entry] = run(end, 1, term);
            if (entry !== undefined) {
              log.push(entry);
              model.push(entry);
            }
          } else if (kind === 1) {
            term++;
            const at = Math.max(1, Math.min(end, offset - 2 + a));
            const fresh = run(at, b + 2, term);
            const skip = b % 2;
            give(fresh);
            log.truncateAndAppend(fresh, skip);
            const first = at + skip;
            const isBefore = first <= offset && first !== end;
            model = isBefore ? fresh.slice(skip) : [...model.slice(0, first - offset), ...fresh.slice(skip)];
            if (isBefore) {
              offset = first;
              taken = first;
            }
            taken = Math.min(taken, first);
          } else if (kind === 2) {
            give(log.nextEntries());
            expect(log.nextEntries()).toEqual(model.slice(Math.max(taken - offset, 0)));
            log.acceptInProgress();
            taken = offset + model.length;
          } else if (kind === 3 && model.length > 0) {
            const index = offset + (a % model.length);
            const isSame = b !== 0;
            log.stableTo(index, (model[index - offset]?.term ?? 0) + (isSame ? 0 : 1));
            if (isSame) {
              model = model.slice(index - offset + 1);
              offset = index + 1;
              taken = Math.max(taken, offset);
            }
          } else if (kind === 4) {
            const from = Math.min(a, model.length);
            give(log.slice(offset + from, end));
          } else if (kind === 5 && b === 0) {
            log.restore({ index: end + a, term, confState: emptyConfState, data: undefined });
            model = [];
            offset = end + a + 1;
            taken = offset;
            log.stableSnapTo(end + a);
          }
          expect([log.offset, log.length]).toEqual([offset, model.length]);
          expect(log.slice(offset, offset + model.length)).toEqual(model);
          for (const each of given) expect(each.list).toEqual(each.copy);
        }
      }),
      { seed: 11, numRuns: 300 },
    );
  });
});
