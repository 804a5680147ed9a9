import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Choices } from './choices.fixture.ts';
import { FuzzSession } from './session.fixture.ts';

/** Numbers that decide one life of a small cluster: up to eight requests and what must hold after each. */
const tape = fc.array(fc.nat(0x7fffffff), { minLength: 20, maxLength: 160, size: 'max' });

const isLong = process.env['SEATRIAL_LONG'] !== undefined;

function fuzz(seed: number, cases: number): ReadonlyMap<string, number> {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(tape, (numbers) => {
      const session = new FuzzSession(new Choices(numbers));
      session.run(8);
      for (const outcome of session.outcomes) seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
    }),
    { seed, numRuns: cases },
  );
  return seen;
}

/** A fuzzer whose requests are all refused at the door finds nothing. */
function expectDepth(seen: ReadonlyMap<string, number>, cases: number): void {
  for (const outcome of [
    'create 201',
    'update 200',
    'patch json 200',
    'patch merge 200',
    'patch strategic 200',
    'patch apply 200',
    'list 200',
  ])
    expect(seen.get(outcome), outcome).toBeGreaterThan(cases / 200);
}

describe('an API server under random requests never throws, never stores what a read cannot return, never changes what others hold', () => {
  it.each([5, 0x5ea])('seed %i', (seed) => expectDepth(fuzz(seed, 500), 500));

  it.skipIf(!isLong)('100,000 cases', { timeout: 3_600_000 }, () => expectDepth(fuzz(100_000, 100_000), 100_000));
});
