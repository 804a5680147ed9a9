import { describe, expect, it } from 'vitest';
import { TripwireError, withTripwire } from './tripwire.ts';

const WIRES: readonly (readonly [name: string, touch: () => unknown, instead: RegExp])[] = [
  ['Date.now', () => Date.now(), /process\.wall\(\) or process\.mono\(\)/],
  ['new Date()', () => new Date(), /process\.wall\(\)/],
  ['Date()', () => Date(), /process\.wall\(\)/],
  ['Math.random', () => Math.random(), /process\.random/],
  ['performance.now', () => performance.now(), /process\.mono\(\)/],
  ['setTimeout', () => setTimeout(() => undefined, 0), /process\.after\(\)/],
  ['setInterval', () => setInterval(() => undefined, 1000), /process\.after\(\)/],
  ['setImmediate', () => setImmediate(() => undefined), /process\.after\(0\)/],
  ['queueMicrotask', () => queueMicrotask(() => undefined), /process\.spawn\(\)/],
  ['fetch', () => fetch('http://localhost'), /world\.network/],
  ['crypto.randomUUID', () => crypto.randomUUID(), /process\.random/],
  ['crypto.getRandomValues', () => crypto.getRandomValues(new Uint8Array(1)), /process\.random/],
  ['process.hrtime', () => process.hrtime(), /process\.mono\(\)/],
  ['process.hrtime.bigint', () => process.hrtime.bigint(), /process\.mono\(\)/],
  ['process.nextTick', () => process.nextTick(() => undefined), /process\.spawn\(\)/],
];

describe('withTripwire', () => {
  for (const [name, touch, instead] of WIRES) {
    it(`${name} throws with its own name and that of our substitute`, () => {
      const caught = withTripwire(() => {
        try {
          touch();
        } catch (error) {
          return error;
        }
        return undefined;
      });
      expect(caught).toBeInstanceOf(TripwireError);
      expect((caught as Error).message).toContain(name);
      expect((caught as Error).message).toMatch(instead);
    });
  }

  it('leaves the harmless forms of Date alone', () => {
    const [iso, parsed, instance] = withTripwire(() => [
      new Date(0).toISOString(),
      Date.parse('1970-01-01T00:00:01Z'),
      new Date(5) instanceof Date,
    ]);
    expect([iso, parsed, instance]).toEqual(['1970-01-01T00:00:00.000Z', 1000, true]);
  });

  it('gives everything back afterwards, also when the body throws, and nests', () => {
    const before = [Date, Date.now, Math.random, setTimeout, process.hrtime, Object.getOwnPropertyDescriptor(crypto, 'randomUUID')];
    expect(() =>
      withTripwire(() => {
        withTripwire(() => undefined);
        expect(() => Math.random()).toThrow(TripwireError);
        throw new Error('body');
      }),
    ).toThrow('body');
    expect([Date, Date.now, Math.random, setTimeout, process.hrtime, Object.getOwnPropertyDescriptor(crypto, 'randomUUID')]).toEqual(
      before,
    );
    expect(Date.now()).toBeGreaterThan(1e12);
    expect(Math.random()).toBeLessThan(1);
  });
});
