import { describe, expect, it } from 'vitest';
import { contentHash, sharedContentHash } from './content-hash.ts';

describe('contentHash', () => {
  it('tells contents apart, by type, order and place', () => {
    const values = [
      '',
      '1',
      1,
      1n,
      true,
      null,
      [],
      {},
      ['1'],
      [1],
      ['a', 'b'],
      ['b', 'a'],
      [['a'], 'b'],
      { a: 1 },
      { a: '1' },
      { a: { b: 1 } },
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ];
    expect(new Set(values.map(contentHash)).size).toBe(values.length);
  });

  it('is the same for equal contents; absent members do not count', () => {
    expect(contentHash({ a: [1, { b: 'x' }], c: undefined })).toBe(contentHash({ a: [1, { b: 'x' }] }));
    expect(contentHash(new Uint8Array([1, 2]))).not.toBe(contentHash(new Uint8Array([2, 1])));
  });

  it('stays what it was: digests of stored trials depend on it', () => {
    expect(contentHash({ kind: 'Pod', ports: [80, 443], ready: true })).toBe(3648294103);
  });

  it('hashes objects that share parts as it hashes copies of them', () => {
    const spec = { replicas: 3 };
    const first = { kind: 'X', spec, status: { ready: 1 } };
    expect(sharedContentHash({ ...first, status: { ready: 2 } })).not.toBe(sharedContentHash(first));
    expect(sharedContentHash({ ...first, spec: { replicas: 3 } })).toBe(sharedContentHash(first));
  });
});
