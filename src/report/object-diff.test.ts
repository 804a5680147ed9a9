import { describe, expect, it } from 'vitest';
import { objectDiffLines } from './object-diff.ts';

describe('objectDiffLines', () => {
  it('shows differing fields with the way to them, and names', () => {
    const lines = objectDiffLines(
      { metadata: { name: 'web', resourceVersion: '88' }, spec: { replicas: 3, paused: true } },
      { metadata: { name: 'web', resourceVersion: '104' }, spec: { replicas: 3 } },
    );
    expect(lines).toEqual([
      { side: 'both', text: 'metadata:' },
      { side: 'both', text: '  name: web' },
      { side: 'expected', text: '  resourceVersion: "88"' },
      { side: 'actual', text: '  resourceVersion: "104"' },
      { side: 'both', text: 'spec:' },
      { side: 'expected', text: '  paused: true' },
      { side: 'actual', text: '  ', note: 'paused is absent' },
    ]);
  });

  it('says nothing about equal objects, whatever the order of their keys', () => {
    expect(objectDiffLines({ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 })).toEqual([]);
  });

  it('writes out what only one side has', () => {
    expect(objectDiffLines({}, { spec: { taints: [{ key: 'a', effect: 'NoExecute' }] } }).map((line) => line.side + line.text)).toEqual([
      'expected',
      'actualspec:',
      'actual  taints:',
      'actual    -',
      'actual      key: a',
      'actual      effect: NoExecute',
    ]);
  });
});
