import { describe, expect, it } from 'vitest';
import { type Bounds, explore } from './explorer.ts';
import { INPUT_BEAT, INPUT_CAMPAIGN, INPUT_CRASH, INPUT_MESSAGE, INPUT_PROPOSE, LiveNode, LocalNodes, messageText } from './local-nodes.ts';
import { exploreSlowly } from './slow-explorer.fixture.ts';

const isLong = process.env['SEATRIAL_LONG'] !== undefined;

/** Four elections, one candidate each: as deep as figure 8 of the paper. */
const fourTerms: Bounds = { terms: 4, proposals: 0, crashes: 0, inFlight: 4, oneCandidateATerm: true };

describe('every state that three nodes can reach keeps the five properties', () => {
  const small: readonly (readonly [string, Bounds])[] = [
    ['one term, a proposal and a crash', { terms: 1, proposals: 1, crashes: 1, inFlight: 4 }],
    ['two terms and a crash', { terms: 2, proposals: 0, crashes: 1, inFlight: 3 }],
    ['two terms and a proposal', { terms: 2, proposals: 1, crashes: 0, inFlight: 3 }],
    ['three terms', { terms: 3, proposals: 0, crashes: 0, inFlight: 3 }],
  ];
  const large: readonly (readonly [string, Bounds])[] = [
    ['two terms, a proposal and a crash', { terms: 2, proposals: 1, crashes: 1, inFlight: 3 }],
    ['two terms, a proposal and heartbeats', { terms: 2, proposals: 1, crashes: 0, inFlight: 3, heartbeats: true }],
    ['two terms, a proposal and four messages in flight', { terms: 2, proposals: 1, crashes: 0, inFlight: 4 }],
    ['three terms and a crash', { terms: 3, proposals: 0, crashes: 1, inFlight: 3 }],
    ['three terms, a proposal, one candidate a term', { terms: 3, proposals: 1, crashes: 0, inFlight: 3, oneCandidateATerm: true }],
    ['four terms, one candidate a term', fourTerms],
  ];

  it.each([...small, ...(isLong ? large : [])])(
    '%s',
    (_name, bounds) => {
      const { broken, isComplete, distinct } = explore({ bounds });
      expect(broken).toBeUndefined();
      expect(isComplete).toBe(true);
      expect(distinct).toBeGreaterThan(50_000);
    },
    120_000,
  );
});

describe('known defects are found, by the property that they break and on a shortest way', () => {
  it('R2: entries of old terms are committed by counting replicas (figure 8)', () => {
    const { broken } = explore({ bounds: fourTerms, defects: { countOldTermReplicas: true } });
    expect(broken?.what).toMatch(/^Leader Completeness: /);
    expect(broken?.steps.filter((step) => step.endsWith('campaigns')).length).toBe(4);
  });

  it('R4: hosts that do not keep votes give two in one term', () => {
    const { broken } = explore({ bounds: { terms: 1, proposals: 0, crashes: 1, inFlight: 4 }, forgetsVote: true });
    expect(broken?.what).toMatch(/^Election Safety: /);
    expect(broken?.steps).toHaveLength(7);
    expect(broken?.steps).toContainEqual('node 3 crashes and comes back');
  });

  it('a way that is told can be gone', () => {
    const { broken } = explore({ bounds: { terms: 1, proposals: 0, crashes: 1, inFlight: 4 }, forgetsVote: true });
    // Every message that is delivered was sent by a node that had campaigned or been asked before.
    const steps = broken?.steps ?? [];
    expect(steps[0]).toBe('node 1 campaigns');
    for (const [i, step] of steps.entries()) {
      const answer = /^delivered: MsgVoteResp (\d)→(\d)/.exec(step);
      if (answer !== null) expect(steps.slice(0, i)).toContainEqual(expect.stringContaining(`MsgVote ${answer[2]}→${answer[1]}`));
    }
  });
});

describe('the explorer', () => {
  it.each([
    { terms: 1, proposals: 1, crashes: 0, inFlight: 2 },
    { terms: 1, proposals: 0, crashes: 1, inFlight: 2 },
    { terms: 2, proposals: 0, crashes: 0, inFlight: 1 },
    { terms: 1, proposals: 0, crashes: 0, inFlight: 2, heartbeats: true },
  ] satisfies Bounds[])('reaches as many states as its slow twin, which remembers nothing (%o)', (bounds) => {
    const { distinct, generated } = explore({ bounds });
    expect(exploreSlowly(bounds)).toEqual({ distinct, generated });
    expect(distinct).toBeGreaterThan(50);
  });

  it('remembers of a step what a node with any other past does too', () => {
    const nodes = new LocalNodes({ voters: 3 });
    let random = 1;
    const draw = (bound: number): number => {
      random = (random * 48_271) % 2_147_483_647;
      return random % bound;
    };
    let steps = 0;
    for (let walk = 0; walk < 150; walk++) {
      const live = [1, 2, 3].map((id) => new LiveNode(id, { voters: 3 }));
      const ids = [1, 2, 3].map((id) => nodes.initial(id));
      const flight: number[] = [];
      for (let step = 0; step < 60; step++) {
        const dice = draw(10);
        const [message] = dice < 6 && flight.length > 0 ? flight.splice(draw(flight.length), 1) : [];
        const n = message === undefined ? draw(3) : (nodes.messages[message]?.to ?? 1) - 1;
        const state = nodes.state(ids[n] as number);
        const own = [INPUT_CAMPAIGN, INPUT_CAMPAIGN, INPUT_CRASH, INPUT_BEAT, INPUT_PROPOSE + draw(3)][draw(5)] as number;
        const input = message === undefined ? own : INPUT_MESSAGE + message;
        if (state.isLeader ? input === INPUT_CAMPAIGN : input === INPUT_BEAT || (input >= INPUT_PROPOSE && message === undefined)) continue;
        const remembered = nodes.step(ids[n] as number, input);
        const sent = (live[n] as LiveNode).take(input, nodes.messages);
        expect(remembered.sends.map((id) => messageText(nodes.messages[id]?.message as never))).toEqual(sent.map(messageText));
        expect(nodes.state(remembered.to).key).toBe((live[n] as LiveNode).key());
        ids[n] = remembered.to;
        flight.push(...remembered.sends);
        steps++;
      }
    }
    expect(steps).toBeGreaterThan(3000);
    expect(nodes.states.length).toBeLessThan(steps);
  });

  it('says when it did not get through', () => {
    const { isComplete, distinct, broken } = explore({ bounds: { terms: 2, proposals: 1, crashes: 1, inFlight: 3, states: 1000 } });
    expect([isComplete, distinct, broken]).toEqual([false, 1000, undefined]);
  });
});
