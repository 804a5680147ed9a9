import { describe, expect, it } from 'vitest';
import { emphasize, Glossary } from './glossary.ts';

describe('glossary', () => {
  it('defines a word where it is used first, and only there', () => {
    const glossary = new Glossary();
    expect(glossary.define(['etcd-1 leads term 2; term 3 comes later'])).toEqual([
      'etcd-1 leads ',
      { kind: 'term', text: 'term', definition: expect.stringContaining('election round') },
      ' 2; term 3 comes later',
    ]);
    expect(glossary.define(['term 4'])).toEqual(['term 4']);
  });

  it('makes names stand out, the longest that fits, and never inside a word', () => {
    expect(emphasize('worker-1 hears cp-1 (etcd-1), not cp-10', ['cp-1', 'etcd-1', 'worker-1'])).toEqual([
      { kind: 'strong', text: 'worker-1' },
      ' hears ',
      { kind: 'strong', text: 'cp-1' },
      ' (',
      { kind: 'strong', text: 'etcd-1' },
      '), not cp-10',
    ]);
  });
});
