import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Message } from './message.ts';
import { RawNode } from './rawnode.ts';
import { MemoryStorage } from './storage.ts';
import { emptyConfState, StateFollower, StateLeader } from './types.ts';

interface Wiring {
  readonly nodes: RawNode[];
  readonly storages: MemoryStorage[];
  readonly sent: string[];
}

function wire(): Wiring {
  const nodes: RawNode[] = [];
  const storages: MemoryStorage[] = [];
  for (let id = 1; id <= 3; id++) {
    const storage = new MemoryStorage();
    storage.applySnapshot({ index: 2, term: 1, confState: { ...emptyConfState, voters: [1, 2, 3] }, data: undefined });
    let draws = id;
    const draw = (bound: number): number => {
      draws = (draws * 48271) % 2147483647;
      return draws % bound;
    };
    const config = { id, electionTicks: 10, heartbeatTicks: 3, storage, draw, applied: 2, checkQuorum: true, preVote: id !== 3 };
    nodes.push(new RawNode(config));
    storages.push(storage);
  }
  return { nodes, storages, sent: [] };
}

/** Handles Readys until nothing is left; loses what the network does not carry. */
function settle({ nodes, storages, sent }: Wiring, carried: boolean): void {
  for (let isBusy = true; isBusy; ) {
    isBusy = false;
    const messages: Message[] = [];
    nodes.forEach((node, i) => {
      while (node.hasReady()) {
        isBusy = true;
        const ready = node.ready();
        if (ready.hardState !== undefined) storages[i]?.setHardState(ready.hardState);
        storages[i]?.append(ready.entries);
        messages.push(...ready.messages);
        node.advance();
      }
    });
    for (const message of messages) {
      sent.push(JSON.stringify(message));
      if (carried) nodes[message.to - 1]?.step(message);
    }
  }
}

describe('skipping ticks', () => {
  const steps = fc.array(fc.record({ node: fc.nat({ max: 2 }), ticks: fc.nat({ max: 40 }), carried: fc.boolean() }), {
    maxLength: 40,
    size: 'max',
  });

  test('tickMany(n) is n ticks, whatever happens in between', () => {
    let elections = 0;
    fc.assert(
      fc.property(steps, (schedule) => {
        const single = wire();
        const bulk = wire();
        for (const { node, ticks, carried } of schedule) {
          for (let i = 0; i < ticks; i++) single.nodes[node]?.tick();
          bulk.nodes[node]?.tickMany(ticks);
          settle(single, carried);
          settle(bulk, carried);
          expect(bulk.sent).toEqual(single.sent);
          expect(bulk.nodes.map((each) => each.status())).toEqual(single.nodes.map((each) => each.status()));
          if (bulk.nodes.some((each) => each.state === StateLeader)) elections++;
        }
      }),
      { seed: 3, numRuns: 150 },
    );
    expect(elections).toBeGreaterThan(100);
  });

  test('nothing happens before ticksUntilNextAction, and something does then', () => {
    const { nodes } = wire();
    const [node] = nodes;
    const due = node?.ticksUntilNextAction() ?? 0;
    expect(due).toBeGreaterThanOrEqual(10);
    expect(due).toBeLessThan(20);
    node?.tickMany(due - 1);
    expect(node?.hasReady()).toBe(false);
    expect(node?.ticksUntilNextAction()).toBe(1);
    node?.tickMany(1);
    expect(node?.state).not.toBe(StateFollower);
    expect(node?.hasReady()).toBe(true);
  });

  test('a node that may not campaign never needs a tick', () => {
    const storage = new MemoryStorage();
    const node = new RawNode({ id: 1, electionTicks: 10, heartbeatTicks: 1, storage, draw: () => 0 });
    expect(node.ticksUntilNextAction()).toBe(Number.POSITIVE_INFINITY);
    node.tickMany(1000);
    expect(node.hasReady()).toBe(false);
  });
});
