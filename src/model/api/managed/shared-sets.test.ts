import { describe, expect, it } from 'vitest';
import { difference, type FieldSet, leaf, union } from './field-set.ts';
import { memberPath, nodePath, remembered } from './shared-sets.ts';

describe('shared field sets', () => {
  const type = {};
  it('are one object for equal paths, and keep the order of the children', () => {
    const make = (): FieldSet => nodePath().with('f:spec', memberPath(type).with('f:b', leaf).with('f:a', leaf).set).set;
    expect(make()).toBe(make());
    expect(Object.keys(make()['f:spec'] ?? {})).toEqual(['.', 'f:b', 'f:a']);
    expect(nodePath().with('f:a', leaf).with('f:b', leaf).set).not.toBe(nodePath().with('f:b', leaf).with('f:a', leaf).set);
  });

  it('own a child that comes twice as a whole', () => {
    const inner = memberPath(type).with('f:x', leaf).set;
    expect(nodePath().with('k:{"name":"a"}', inner).with('k:{"name":"a"}', inner).set).toEqual({ 'k:{"name":"a"}': {} });
  });

  it('answer what the function answers, also when one round follows the other', () => {
    const without = remembered(difference);
    const together = remembered(union);
    const renewed: FieldSet = { 'f:spec': { 'f:renewTime': leaf } };
    let owned: FieldSet = { 'f:spec': { 'f:holder': leaf, 'f:renewTime': leaf } };
    let rounds = 0;
    for (let before: FieldSet | undefined; before !== owned && rounds < 5; rounds++) {
      before = owned;
      expect(without(before, renewed)).toEqual(difference(before, renewed));
      owned = together(without(before, renewed), renewed);
      expect(owned).toEqual(union(difference(before, renewed), renewed));
    }
    // A lease that is renewed for ever makes no new sets.
    expect(rounds).toBeLessThanOrEqual(3);
  });
});
