import { describe, expect, it } from 'vitest';
import type { ApiObject } from '../api/object.ts';
import { Store } from './store.ts';

interface Thing extends ApiObject {
  readonly node: string;
}

function thing(name: string, node: string): Thing {
  return { apiVersion: 'v1', kind: 'Thing', metadata: { name }, node };
}

describe('store', () => {
  it('lists in key order whatever the history, and follows objects from bucket to bucket', () => {
    const store = new Store<Thing>();
    store.addIndex('node', (t) => (t.node === '' ? [] : [t.node]));
    for (const name of ['b', 'c', 'a']) store.set(name, thing(name, 'n1'));
    expect(store.list().map((t) => t.metadata.name)).toEqual(['a', 'b', 'c']);
    expect(store.byIndex('node', 'n1')).toHaveLength(3);
    store.set('b', thing('b', 'n2'));
    store.set('a', thing('a', ''));
    expect(store.byIndex('node', 'n1').map((t) => t.metadata.name)).toEqual(['c']);
    expect(store.byIndex('node', 'n2').map((t) => t.metadata.name)).toEqual(['b']);
    store.delete('b');
    expect(store.byIndex('node', 'n2')).toEqual([]);
  });

  it('agrees with a scan after random changes', () => {
    const store = new Store<Thing>();
    store.addIndex('node', (t) => [t.node]);
    const twin = new Map<string, Thing>();
    let state = 7;
    const draw = (n: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state % n;
    };
    for (let i = 0; i < 2000; i++) {
      const key = `k${draw(40)}`;
      if (draw(4) === 0) {
        store.delete(key);
        twin.delete(key);
      } else {
        const object = thing(key, `n${draw(5)}`);
        store.set(key, object);
        twin.set(key, object);
      }
      const node = `n${draw(5)}`;
      const slow = [...twin.keys()]
        .sort()
        .map((k) => twin.get(k) as Thing)
        .filter((t) => t.node === node);
      expect(store.byIndex('node', node)).toEqual(slow);
    }
    expect(store.list()).toEqual([...twin.keys()].sort().map((k) => twin.get(k)));
  });
});
