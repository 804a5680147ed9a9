import { describe, expect, it } from 'vitest';
import { foldedScale, trueScale } from './time-scale.ts';

const input = { fromUs: 0, toUs: 20_000_000, left: 100, right: 1100 };

describe('foldedScale', () => {
  const times = [3_100_000, 12_440_000, 12_447_000, 12_459_000, 12_480_000, 16_000_000, 16_035_000];
  const scale = foldedScale(input, times);

  it('is monotonic and covers the whole width', () => {
    let previous = scale.left;
    for (let at = 0; at <= input.toUs; at += 10_000) {
      expect(scale.x(at)).toBeGreaterThanOrEqual(previous);
      previous = scale.x(at);
    }
    expect(scale.x(0)).toBe(100);
    expect(scale.x(input.toUs)).toBe(1100);
  });

  it('folds the long gaps and names their length', () => {
    expect(scale.folds.map((fold) => fold.label)).toEqual(['9.3 s', '3.5 s']);
  });

  it('gives busy milliseconds more room than quiet seconds', () => {
    expect(scale.x(12_480_000) - scale.x(12_440_000)).toBeGreaterThan(scale.x(12_440_000) - scale.x(3_100_000));
  });

  it('inverts', () => {
    for (const at of times) expect(Math.abs(scale.at(scale.x(at)) - at)).toBeLessThanOrEqual(1);
  });

  it('does not fold what happens regularly', () => {
    const regular = Array.from({ length: 50 }, (_, index) => index * 100_000);
    expect(foldedScale(input, regular).folds).toEqual([]);
  });

  it('falls back to true scale for one instant or none', () => {
    expect(foldedScale(input, [5]).x(10_000_000)).toBe(trueScale(input).x(10_000_000));
  });
});
