import { describe, expect, it } from 'vitest';
import { World } from '../../../sim/world.ts';
import type { Container } from '../../api/types.ts';
import { createFacts } from '../../facts.ts';
import { Machine } from './machine.ts';

describe('Machine', () => {
  it('keeps the files of pods over a power loss, but for those in memory', () => {
    const host = new World({ seed: 'machine' }).addHost({ name: 'worker-0', zone: 'a' });
    const machine = new Machine(host, createFacts());
    machine.files('uid').volume('memory').inMemory = true;
    const container = { name: 'c', volumeMounts: ['memory', 'disk'].map((name) => ({ name, mountPath: `/${name}` })) } as Container;
    for (const name of ['memory', 'disk']) machine.files('uid').view(container).write(`/${name}/file`, 'content');
    host.crash();
    host.boot();
    const files = machine.files('uid').view(container);
    expect([files.read('/memory/file'), files.read('/disk/file')]).toEqual([undefined, 'content']);
  });
});
