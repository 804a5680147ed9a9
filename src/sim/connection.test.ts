import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CloseReason, Connection, ConnectOptions } from './connection.ts';
import type { Endpoint } from './network.ts';
import type { Process } from './process.ts';
import { MILLISECOND, SECOND } from './time.ts';
import { runProgram, type TestWorld, testWorld } from './world.fixture.ts';

let w: TestWorld;
let client: Process;
let server: Process;
let endpoint: Endpoint;
/** What the server's side saw, by connection in the order of acceptance. */
let served: { connection: Connection; got: unknown[]; closed: CloseReason[] }[];

function setUp(seed = 'test'): void {
  w = testWorld({ seed });
  served = [];
  client = runProgram(w.a);
  server = runProgram(w.b, (process) => {
    endpoint = w.world.network.listen(process, 'b', '1', {
      onAccept: (connection) => {
        const side = { connection, got: [] as unknown[], closed: [] as CloseReason[] };
        served.push(side);
        return { onMessage: (payload) => side.got.push(payload), onClose: (reason) => side.closed.push(reason) };
      },
    });
  });
  w.world.run(SECOND);
}
beforeEach(() => setUp());

interface ClientSide {
  readonly connection: Connection;
  readonly openedAt: number[];
  readonly got: unknown[];
  readonly closed: [reason: CloseReason, at: number][];
}
function connect(options: ConnectOptions = {}, from = client, to = endpoint): ClientSide {
  const side = { openedAt: [] as number[], got: [] as unknown[], closed: [] as [CloseReason, number][] };
  const connection = w.world.network.connect(
    from,
    to,
    {
      onOpen: () => side.openedAt.push(w.world.now),
      onMessage: (payload) => side.got.push(payload),
      onClose: (reason) => side.closed.push([reason, w.world.now]),
    },
    options,
  );
  return { connection, ...side };
}
const forSeconds = (seconds: number): void => void w.world.run(w.world.now + seconds * SECOND);
const cut = { touched: 0 };
const block = (): void => {
  w.world.network.block(w.a, w.b, cut);
  w.world.network.block(w.b, w.a, cut);
};
const unblock = (): void => {
  w.world.network.unblock(w.a, w.b, cut);
  w.world.network.unblock(w.b, w.a, cut);
};

describe('opening', () => {
  it('opens, carries messages both ways in order, and closes in an orderly way after what was sent before', () => {
    const side = connect();
    expect(side.connection.send('before the handshake', 10)).toBe(true);
    forSeconds(1);
    expect(side.openedAt.length).toBe(1);
    for (let i = 0; i < 20; i++) side.connection.send(i, 10);
    served[0]?.connection.send('hello', 10);
    side.connection.close();
    forSeconds(1);
    expect(served[0]?.got).toEqual(['before the handshake', ...Array.from({ length: 20 }, (_, i) => i)]);
    expect(served[0]?.closed).toEqual(['closed']);
    expect(side.closed).toEqual([]);
    expect(side.connection.send('after', 1)).toBe(false);
  });

  it('is refused where nobody listens', () => {
    const side = connect({}, client, w.world.network.endpoint('b', '99'));
    forSeconds(1);
    expect(side.closed.map(([reason]) => reason)).toEqual(['refused']);
    expect(side.openedAt).toEqual([]);
  });

  it('sends the SYN again after 1, 2, 4 s and gives up at its time-out', () => {
    w.b.crash();
    const at = w.world.now;
    const late = connect({ connectTimeoutUs: 5 * SECOND });
    const patient = connect();
    forSeconds(6);
    expect(late.closed).toEqual([['connect-timeout', at + 5 * SECOND]]);
    w.b.boot();
    forSeconds(4);
    // Tries at 0, 1, 3 and 7 s: the host is up for the fourth.
    expect(Math.floor(((patient.openedAt[0] ?? 0) - at) / SECOND)).toBe(7);
  });

  it('a slow link that makes the SYN go twice still gives one connection, which stays', () => {
    for (const [x, y] of [
      [w.a, w.b],
      [w.b, w.a],
    ] as const)
      w.world.network.link(x, y)?.addModifier({ extraLatencyUs: 800 * MILLISECOND, touched: 0 });
    const side = connect();
    forSeconds(10);
    side.connection.send('x', 1);
    forSeconds(10);
    expect(served.length).toBe(1);
    expect(served[0]?.got).toEqual(['x']);
    expect(side.closed).toEqual([]);
  });

  it('a cut hits the SYN and its answer in flight; the next SYN opens the one connection', () => {
    for (const way of ['there', 'back'] as const) {
      setUp();
      const slow = { extraLatencyUs: 200 * MILLISECOND, touched: 0 };
      w.world.network.link(w.a, w.b)?.addModifier(slow);
      w.world.network.link(w.b, w.a)?.addModifier(slow);
      const [from, to] = way === 'there' ? [w.a, w.b] : [w.b, w.a];
      const at = w.world.now;
      const side = connect();
      w.world.at(at + (way === 'there' ? 100 : 300) * MILLISECOND, () => w.world.network.block(from, to, cut));
      w.world.at(at + 600 * MILLISECOND, () => w.world.network.unblock(from, to, cut));
      forSeconds(0.9);
      expect([way, side.openedAt.length, served.length]).toEqual([way, 0, way === 'there' ? 0 : 1]);
      forSeconds(5);
      expect([way, side.openedAt.length, served.length]).toEqual([way, 1, 1]);
      side.connection.send('x', 1);
      forSeconds(1);
      expect(served[0]?.got).toEqual(['x']);
    }
  });

  it('given up at its time-out when the other side had taken it already: that side finds out by its keep-alive', () => {
    w.world.network.link(w.b, w.a)?.addModifier({ lossPpm: 1_000_000, touched: 0 });
    const side = connect({ connectTimeoutUs: 5 * SECOND, keepAliveUs: 10 * SECOND });
    forSeconds(6);
    expect(side.closed.map(([reason]) => reason)).toEqual(['connect-timeout']);
    expect(served.map((s) => s.closed)).toEqual([[]]);
    forSeconds(20);
    expect(served.map((s) => s.closed)).toEqual([['reset']]);
  });

  it('given up by the client while the answer is under way: the other side is reset', () => {
    w.world.network.link(w.b, w.a)?.addModifier({ extraLatencyUs: 100 * MILLISECOND, touched: 0 });
    const side = connect();
    w.world.at(w.world.now + 50 * MILLISECOND, () => side.connection.close());
    forSeconds(2);
    expect(served[0]?.closed).toEqual(['reset']);
    expect(side.openedAt).toEqual([]);
  });

  it('what the server says at once reaches the client, whatever the link does to its order', () => {
    for (let i = 0; i < 30; i++) {
      setUp(`greeting ${i}`);
      const greeted = runProgram(w.c, (process) => {
        w.world.network.listen(process, 'c', '1', {
          onAccept: (connection) => {
            connection.send('welcome', 10);
            return { onMessage: () => undefined };
          },
        });
      });
      expect(greeted.alive).toBe(true);
      const side = connect({}, client, w.world.network.endpoint('c', '1'));
      forSeconds(2);
      expect(side.got).toEqual(['welcome']);
    }
  });
});

describe('delivery', () => {
  it('is in order and complete under loss, reordering and duplication, whatever the seed', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 600_000 }), fc.integer({ min: 1, max: 60 }), (seed, lossPpm, count) => {
        setUp(seed);
        const side = connect();
        forSeconds(1);
        for (const [x, y] of [
          [w.a, w.b],
          [w.b, w.a],
        ] as const)
          w.world.network.link(x, y)?.addModifier({ lossPpm, reorderPpm: 300_000, reorderUs: 20_000, duplicatePpm: 300_000, touched: 0 });
        for (let i = 0; i < count; i++) w.world.at(w.world.now + i * 1000, () => side.connection.send(i, 100));
        forSeconds(300);
        expect(served[0]?.got).toEqual(Array.from({ length: count }, (_, i) => i));
        expect(side.connection.bufferedBytes).toBe(0);
      }),
      { seed: 7, numRuns: 40 },
    );
  });

  it('waits for the end of a partition that is shorter than the keep-alive', () => {
    const side = connect();
    forSeconds(1);
    block();
    side.connection.send('x', 10);
    forSeconds(20);
    expect(served[0]?.got).toEqual([]);
    unblock();
    forSeconds(30);
    expect(served[0]?.got).toEqual(['x']);
    expect(side.closed).toEqual([]);
  });

  it('push back: send answers false while too much is under way, also while a partition holds it up', () => {
    const side = connect({ bufferBytesMax: 1000 });
    forSeconds(1);
    block();
    let sent = 0;
    for (let i = 0; i < 100; i++) if (side.connection.send(i, 100)) sent++;
    expect(sent).toBe(11);
    forSeconds(1);
    expect(side.connection.send('x', 1)).toBe(false);
    unblock();
    forSeconds(10);
    expect(served[0]?.got.length).toBe(11);
    expect(side.connection.bufferedBytes).toBe(0);
    expect(side.connection.send('x', 1)).toBe(true);
  });
});

describe('breaking', () => {
  it('the death of a process resets the other side; the power loss of its host is not told', () => {
    const side = connect();
    forSeconds(1);
    server.kill('test');
    forSeconds(1);
    expect(side.closed.map(([reason]) => reason)).toEqual(['reset']);

    setUp();
    const other = connect({ keepAliveUs: 30 * SECOND });
    forSeconds(1);
    const at = w.world.now;
    w.b.crash();
    forSeconds(20);
    expect(other.closed).toEqual([]);
    forSeconds(20);
    expect(other.closed.map(([reason, when]) => [reason, when >= at + 30 * SECOND])).toEqual([['keepalive-timeout', true]]);
  });

  it('half-open: data for a host that came back without knowing the connection is answered by a reset', () => {
    const side = connect();
    forSeconds(1);
    w.b.crash();
    side.connection.send('into the dark', 10);
    w.world.at(w.world.now + 3 * SECOND, () => w.b.boot());
    forSeconds(20);
    expect(side.closed.map(([reason]) => reason)).toEqual(['reset']);
    expect(served[0]?.got).toEqual([]);
  });

  it('an idle healthy connection schedules nothing', () => {
    connect();
    forSeconds(2);
    expect(w.world.run(w.world.now + 3600 * SECOND).kind).toBe('idle');
  });

  it('keep-alive: a peer cut off or stopped for longer is given up, by each side by itself', () => {
    const side = connect({ keepAliveUs: 10 * SECOND });
    forSeconds(1);
    block();
    forSeconds(11);
    expect(side.closed.map(([reason]) => reason)).toEqual(['keepalive-timeout']);
    expect(served[0]?.closed).toEqual(['keepalive-timeout']);
    unblock();
    forSeconds(30);
    expect(side.closed.length).toBe(1);

    setUp();
    const paused = connect({ keepAliveUs: 10 * SECOND });
    forSeconds(1);
    server.pause();
    forSeconds(11);
    expect(paused.closed.map(([reason]) => reason)).toEqual(['keepalive-timeout']);
  });

  it('keep-alive: two short cuts are not one long silence', () => {
    const side = connect({ keepAliveUs: 10 * SECOND });
    forSeconds(1);
    block();
    forSeconds(1);
    unblock();
    forSeconds(8.5);
    block();
    forSeconds(2);
    unblock();
    forSeconds(30);
    expect(side.closed).toEqual([]);
  });

  it('data for a socket that is closed is answered by a reset', () => {
    const side = connect();
    forSeconds(1);
    w.world.network.block(w.b, w.a, cut);
    served[0]?.connection.close(); // its word is held up
    side.connection.send('x', 10);
    forSeconds(1);
    w.world.network.unblock(w.b, w.a, cut);
    forSeconds(30);
    expect(side.closed.length).toBe(1);
    expect(served[0]?.got).toEqual([]);
  });

  it('killed at the very effect of closing: the other side hears of the death', () => {
    const side = connect();
    forSeconds(1);
    client.deliver(
      1,
      10,
      () => {
        client.armKill(client.effects + 1);
        side.connection.close();
      },
      undefined,
      undefined,
    );
    forSeconds(1);
    expect(served[0]?.closed).toEqual(['reset']);
  });

  it('resetConnections tells both sides', () => {
    const side = connect();
    forSeconds(1);
    expect(w.world.network.resetConnections(client)).toBe(1);
    forSeconds(1);
    expect(side.closed.map(([reason]) => reason)).toEqual(['reset']);
    expect(served[0]?.closed).toEqual(['reset']);
    expect(w.world.network.resetConnections(client)).toBe(0);
  });
});
