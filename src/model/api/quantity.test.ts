import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addQuantity,
  canonicalQuantity,
  compareQuantity,
  formatQuantity,
  parseQuantity,
  quantityMilliValue,
  quantityOf,
  quantityValue,
  subtractQuantity,
} from './quantity.ts';

describe('quantities', () => {
  // Upstream apimachinery/pkg/api/resource/quantity_test.go.
  it.each([
    ['0', '0'],
    ['0.0', '0'],
    ['100', '100'],
    ['1000', '1k'],
    ['1500', '1500'],
    ['1.5', '1500m'],
    ['0.1', '100m'],
    ['1024Ki', '1Mi'],
    ['1.5Gi', '1536Mi'],
    ['0.5Ki', '512'],
    ['1e3', '1e3'],
    ['1E3', '1e3'],
    ['100000000n', '100m'],
    ['-5', '-5'],
    ['.5', '500m'],
    ['12.', '12'],
    ['9223372036854775807', '9223372036854775807'],
    ['1Ei', '1Ei'],
    ['100u', '100u'],
  ])('%s is written %s', (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
  });

  it.each(['', '1.2.3', '1 Gi', 'Gi', '1KiB', '--1', '1e', 'x'])('%j is none', (text) => {
    expect(typeof parseQuantity(text)).toBe('string');
  });

  it('rounds values up', () => {
    expect(quantityValue(quantityOf('1m'))).toBe(1);
    expect(quantityValue(quantityOf('1500m'))).toBe(2);
    expect(quantityMilliValue(quantityOf('1u'))).toBe(1);
  });

  const texts = fc
    .tuple(fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.constantFrom('', 'm', 'u', 'k', 'M', 'Ki', 'Mi', 'Gi'))
    .map(([n, suffix]) => `${n}${suffix}`);

  it('the canonical form is the same quantity, and stays', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const canonical = canonicalQuantity(text);
        expect(compareQuantity(quantityOf(canonical), quantityOf(text))).toBe(0);
        expect(canonicalQuantity(canonical)).toBe(canonical);
      }),
    );
  });

  it('sums can be taken apart', () => {
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        const sum = addQuantity(quantityOf(a), quantityOf(b));
        expect(compareQuantity(subtractQuantity(sum, quantityOf(b)), quantityOf(a))).toBe(0);
        expect(compareQuantity(sum, addQuantity(quantityOf(b), quantityOf(a)))).toBe(0);
        expect(formatQuantity(addQuantity(quantityOf(a), quantityOf('0')))).toBe(formatQuantity(quantityOf(a)));
      }),
    );
  });
});
