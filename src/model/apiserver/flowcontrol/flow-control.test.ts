import { describe, expect, it } from 'vitest';
import type { ApiRequest } from '../../api/request.ts';
import type { FlowSchema, PriorityLevelConfiguration } from '../../api/types.ts';
import { flowBootstrap } from './bootstrap-objects.ts';
import { DroppedRequests } from './dropped-requests.ts';
import { flowConfig } from './flow-config.ts';
import { FlowControl } from './flow-control.ts';
import { MaxInFlight } from './max-in-flight.ts';
import { requestWidth } from './request-width.ts';
import { divideSeats } from './seat-allocation.ts';
import { SeatDemand } from './seat-demand.ts';
import { dealHand } from './shuffle-shard.ts';

const SECOND = 1_000_000;

function objects<T>(resource: string): readonly T[] {
  return flowBootstrap.filter((row) => row.resource === resource).map(({ object }) => object as unknown as T);
}

const schemas = objects<FlowSchema>('flowschemas');
const levels = objects<PriorityLevelConfiguration>('prioritylevelconfigurations');

function request(user: string, groups: readonly string[], extra: Partial<ApiRequest> = {}): ApiRequest {
  return {
    verb: 'list',
    group: '',
    version: 'v1',
    resource: 'pods',
    user: { name: user, groups: [...groups, 'system:authenticated'] },
    ...extra,
  };
}

const noisy = request('system:serviceaccount:default:noisy', ['system:serviceaccounts']);
const quiet = request('system:serviceaccount:default:quiet', ['system:serviceaccounts']);
const leader = request('system:kube-controller-manager', [], {
  verb: 'update',
  group: 'coordination.k8s.io',
  resource: 'leases',
  namespace: 'kube-system',
});

/** A flow control with a clock that is moved by hand. */
class Bench {
  nowUs = 0;
  readonly flows: FlowControl;
  readonly timers: { readonly at: number; readonly callback: () => void; cancelled: boolean }[] = [];

  constructor(seats = 600) {
    this.flows = new FlowControl({
      seats,
      now: () => this.nowUs,
      setTimer: (delay, callback) => {
        const timer = { at: this.nowUs + delay, callback, cancelled: false };
        this.timers.push(timer);
        return () => {
          timer.cancelled = true;
        };
      },
      waitUsMax: 15 * SECOND,
    });
    this.flows.configure(flowConfig(schemas, levels));
  }

  /** Sends a request; answers how it stands. */
  send(
    asked: ApiRequest,
    seats = 1,
  ): { state: 'waits' | 'runs' | 'rejected'; retryAfter: number; release: () => void; giveUp: () => void } {
    const it = { state: 'waits' as 'waits' | 'runs' | 'rejected', retryAfter: 0, release: () => {}, giveUp: () => {} };
    it.giveUp = this.flows.handle(asked, seats, {
      run: (release) => {
        it.state = 'runs';
        it.release = release;
      },
      reject: (retryAfter) => {
        it.state = 'rejected';
        it.retryAfter = retryAfter;
      },
    });
    return it;
  }

  pass(us: number): void {
    const until = this.nowUs + us;
    for (;;) {
      const due = this.timers.filter((timer) => !timer.cancelled && timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      due.cancelled = true;
      this.nowUs = due.at;
      due.callback();
    }
    this.nowUs = until;
  }
}

describe('priority and fairness', () => {
  it.each([
    ['an administrator', request('admin', ['system:masters']), 'exempt'],
    ['a leader election', leader, 'leader-election'],
    ['a controller', request('system:kube-controller-manager', []), 'workload-high'],
    [
      "a node's heartbeat",
      request('system:node:n', ['system:nodes'], { verb: 'update', resource: 'nodes', subresource: 'status', name: 'n' }),
      'node-high',
    ],
    ["a node's other requests", request('system:node:n', ['system:nodes']), 'system'],
    ['a system service account', request('system:serviceaccount:kube-system:x', ['system:serviceaccounts']), 'workload-high'],
    ['a service account', noisy, 'workload-low'],
    ['anybody', request('eve', []), 'global-default'],
  ])('the recorded configuration sends %s to %s', (_who, asked, level) => {
    expect(new Bench().flows.levelOf(asked).name).toBe(level);
  });

  it('without any object there are the mandatory levels', () => {
    const bench = new Bench();
    bench.flows.configure(flowConfig([], []));
    expect(bench.flows.levelOf(noisy).name).toBe('catch-all');
    expect(bench.flows.levelOf(request('admin', ['system:masters'])).isExempt).toBe(true);
  });

  it('a schema whose level is missing is passed over', () => {
    const bench = new Bench();
    bench.flows.configure(
      flowConfig(
        schemas,
        levels.filter((level) => level.metadata.name !== 'workload-low'),
      ),
    );
    expect(bench.flows.levelOf(noisy).name).toBe('global-default');
  });

  it('seats are divided by shares, rounded up: 600 over 245 shares', () => {
    const nominal = ['workload-low', 'leader-election', 'node-high', 'system', 'global-default', 'catch-all', 'exempt'];
    // ceil(600 * shares / 245).
    expect(nominal.map((name) => new Bench().flows.seatsOf(name)?.nominal)).toEqual([245, 25, 98, 74, 49, 13, 0]);
  });

  it('a client that floods one level fills its queues, is turned away, and takes nothing from the others', () => {
    const bench = new Bench();
    const sent = Array.from({ length: 5000 }, () => bench.send(noisy));
    const waiting = sent.filter(({ state }) => state === 'waits').length;
    const rejected = sent.filter(({ state }) => state === 'rejected');
    // Six queues of fifty.
    expect(waiting).toBe(300);
    expect(rejected.length).toBeGreaterThan(4000);
    expect(rejected[0]?.retryAfter).toBe(1);
    expect(bench.send(leader).state).toBe('runs');
    expect(bench.send(request('admin', ['system:masters'])).state).toBe('runs');
  });

  it('a quiet client of the same level waits behind nobody of a flood for long: the next free seats go to it', () => {
    const bench = new Bench();
    const flood = Array.from({ length: 2000 }, () => bench.send(noisy));
    const running = flood.filter(({ state }) => state === 'runs');
    const one = bench.send(quiet);
    expect(one.state).toBe('waits');
    bench.pass(10_000);
    running[0]?.release();
    running[1]?.release();
    expect(one.state).toBe('runs');
  });

  it('who waits for a quarter of a minute is turned away', () => {
    const bench = new Bench();
    // Too wide for all that could be lent.
    const flood = Array.from({ length: 300 }, () => bench.send(noisy, 3));
    bench.pass(14 * SECOND);
    const last = flood.filter(({ state }) => state === 'waits').at(-1);
    expect(last).toBeDefined();
    bench.pass(2 * SECOND);
    expect(last?.state).toBe('rejected');
  });

  it('who gives up while waiting leaves its place', () => {
    const bench = new Bench();
    const flood = Array.from({ length: 600 }, () => bench.send(noisy));
    const before = bench.flows.seatsOf('workload-low')?.waiting ?? 0;
    flood.find(({ state }) => state === 'waits')?.giveUp();
    expect(bench.flows.seatsOf('workload-low')?.waiting).toBe(before - 1);
  });

  it('a level that needs more borrows what others do not use, and gives it back when they need it', () => {
    const bench = new Bench();
    const flood = Array.from({ length: 545 }, () => bench.send(noisy));
    const running = (): number => flood.filter(({ state }) => state === 'runs').length;
    const first = running();
    bench.pass(11 * SECOND);
    expect(running()).toBeGreaterThan(first);
    // What may not be lent stays: leader-election 25, node-high 74, system 50, workload-high 49, global-default 25, catch-all 13.
    expect(running()).toBeLessThanOrEqual(602 - 25 - 74 - 50 - 49 - 25 - 13);
    const nodes = Array.from({ length: 98 }, () => bench.send(request('system:node:n', ['system:nodes'], { resource: 'nodes' })));
    bench.pass(11 * SECOND);
    for (const one of flood) if (one.state === 'runs') one.release();
    expect(nodes.every(({ state }) => state === 'runs')).toBe(true);
  });

  it('a level that rejects has no queues', () => {
    const bench = new Bench(49);
    bench.flows.configure(flowConfig([], []));
    const sent = Array.from({ length: 60 }, () => bench.send(noisy));
    expect(sent.filter(({ state }) => state === 'waits')).toHaveLength(0);
    expect(sent.filter(({ state }) => state === 'rejected')).toHaveLength(11);
  });

  it('a request wider than its level runs when it is alone', () => {
    const bench = new Bench(10);
    expect(bench.send(leader, 5).state).toBe('runs');
    expect(bench.send(leader, 5).state).toBe('waits');
  });
});

describe('its parts', () => {
  it('a hand has as many different queues as asked for', () => {
    for (const flow of ['a', 'b', 'system:node:n-17', '']) {
      const hand = dealHand('schema', flow, 128, 6);
      expect(new Set(hand).size).toBe(6);
      for (const card of hand) expect(card).toBeLessThan(128);
    }
    expect(dealHand('schema', 'a', 128, 6)).not.toEqual(dealHand('schema', 'b', 128, 6));
  });

  it('a hand of all cards has all of them', () => {
    expect([...dealHand('schema', 'a', 8, 8)].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it.each([
    [
      'no bound matters',
      100,
      [
        [10, 0, 100],
        [30, 0, 100],
      ],
      [25, 75],
    ],
    [
      'one is at its least',
      100,
      [
        [10, 10, 100],
        [1, 60, 100],
      ].map(([t, l, h]) => [Math.max(t ?? 0, l ?? 0), l, h]),
      [60 / 6 + 4.2857, 85.7143],
    ],
    [
      'one is at its most',
      100,
      [
        [10, 0, 20],
        [10, 0, 100],
      ],
      [20, 80],
    ],
    [
      'too little for the least',
      10,
      [
        [10, 10, 20],
        [10, 10, 20],
      ],
      [10, 10],
    ],
    [
      'more than the most',
      100,
      [
        [10, 0, 20],
        [10, 0, 20],
      ],
      [20, 20],
    ],
  ] as [string, number, number[][], number[]][])('seats are divided in proportion: %s', (_name, total, claims, expected) => {
    const seats = divideSeats(
      total,
      claims.map(([target = 0, low = 0, high = 0]) => ({ target, low, high })),
    );
    seats.forEach((one, i) => expect(one).toBeCloseTo(expected[i] ?? 0, 3));
  });

  it('demand is remembered by its mean and spread, and forgotten slowly', () => {
    const demand = new SeatDemand(0);
    demand.change(10, 0);
    demand.change(-10, 5 * SECOND);
    demand.endPeriod(10 * SECOND);
    // Half the time 10, half 0: mean 5, deviation 5.
    expect(demand.smooth).toBeCloseTo(10);
    expect(demand.high).toBe(10);
    demand.endPeriod(20 * SECOND);
    expect(demand.smooth).toBeCloseTo(9.77);
    expect(demand.high).toBe(0);
  });

  it('those turned away stay away longer the more they are, up to 32 s', () => {
    const dropped = new DroppedRequests();
    const seen: number[] = [];
    for (let second = 1; second < 200; second++) for (let i = 0; i < 200; i++) seen.push(dropped.drop(second * SECOND));
    expect(seen[0]).toBe(1);
    expect(seen.at(-1)).toBe(32);
  });

  it('a list is as wide as what it goes through, one seat a hundred objects', () => {
    const of = (options: ApiRequest['options'], objects = 950) =>
      requestWidth({ ...noisy, ...(options === undefined ? {} : { options }) }, { objects, watches: 0 }, 10).seats;
    expect(of(undefined)).toBe(10);
    expect(of(undefined, 250)).toBe(3);
    expect(of({ fieldSelector: 'metadata.name=a' })).toBe(1);
    expect(of({ limit: 100 })).toBe(2);
    expect(requestWidth(noisy, { objects: 950, watches: 0 }, 4).seats).toBe(4);
    expect(requestWidth(leader, { objects: undefined, watches: 25 }, 10)).toEqual({ seats: 3, lastSeats: 3, extraUs: 5000 });
  });

  it('without it, reads and writes have a limit each, and only masters pass it', () => {
    const limits = new MaxInFlight(2, 1);
    const states: string[] = [];
    const send = (asked: ApiRequest) =>
      limits.handle(asked, { run: () => states.push('runs'), reject: (s) => states.push(`rejected ${s}`) });
    for (const asked of [noisy, noisy, noisy, leader, leader, request('a', ['system:masters'])]) send(asked);
    expect(states).toEqual(['runs', 'runs', 'rejected 1', 'runs', 'rejected 1', 'runs']);
  });
});
