import { beforeEach, describe, expect, it } from 'vitest';
import type { Endpoint } from './network.ts';
import type { Process } from './process.ts';
import { RpcClient, type RpcResult, type ServerCall, serveRpc, type StreamHandlers } from './rpc.ts';
import { MILLISECOND, SECOND } from './time.ts';
import { runProgram, type TestWorld, testWorld } from './world.fixture.ts';

let w: TestWorld;
let process: Process;
let server: Process;
let endpoint: Endpoint;
let rpc: RpcClient;
let calls: { method: string; body: unknown; call: ServerCall; cancelled: boolean }[];
let streams: { body: unknown; call: ServerCall; got: unknown[]; cancelled: boolean }[];
const cut = { touched: 0 };

beforeEach(() => {
  w = testWorld();
  calls = [];
  streams = [];
  endpoint = w.world.network.endpoint('b', '1');
  process = runProgram(w.a);
  server = runProgram(w.b, (p) => {
    serveRpc(p, 'b', '1', {
      call: (method, body, call) => {
        const row = { method, body, call, cancelled: false };
        call.onCancel = () => {
          row.cancelled = true;
        };
        calls.push(row);
        if (method === 'echo') call.answer(body);
      },
      open: (_method, body, call) => {
        const row = { body, call, got: [] as unknown[], cancelled: false };
        call.onMessage = (message) => row.got.push(message);
        call.onCancel = () => {
          row.cancelled = true;
        };
        streams.push(row);
      },
    });
  });
  rpc = new RpcClient(process, endpoint);
  w.world.run(SECOND);
});

const forSeconds = (seconds: number): void => void w.world.run(w.world.now + seconds * SECOND);
const block = (): void => {
  w.world.network.block(w.a, w.b, cut);
  w.world.network.block(w.b, w.a, cut);
};
const unblock = (): void => {
  w.world.network.unblock(w.a, w.b, cut);
  w.world.network.unblock(w.b, w.a, cut);
};
function call(method: string, body: unknown, timeoutUs?: number): RpcResult<unknown>[] {
  const results: RpcResult<unknown>[] = [];
  process.spawn('call', rpc.call(method, body, timeoutUs === undefined ? {} : { timeoutUs }), (result) => results.push(result));
  return results;
}
function open(label?: string): { log: string[]; cancel(): void; send(body: unknown): void } {
  const log: string[] = [];
  const handlers: StreamHandlers = {
    onMessage: (body) => log.push(String(body)),
    onEnd: (end) => log.push(end.by === 'server' ? `end ${String(end.body)}` : `broken ${end.error}`),
  };
  const stream = rpc.open('watch', 'from 1', handlers, label === undefined ? {} : { label });
  return { log, cancel: () => stream.cancel(), send: (body) => stream.send(body) };
}

describe('calls', () => {
  it('answer over one connection, in whatever order the server likes', () => {
    const slow = call('later', 1);
    const quick = call('echo', 2);
    forSeconds(1);
    expect(quick).toEqual([{ ok: true, value: 2 }]);
    expect(slow).toEqual([]);
    calls[0]?.call.answer('at last');
    calls[0]?.call.answer('twice');
    forSeconds(1);
    expect(slow).toEqual([{ ok: true, value: 'at last' }]);
    expect(server.connections.size).toBe(1);
    expect(rpc.connected).toBe(true);
  });

  it('end once, when the answer and the end of the wait both stand in the queue of a busy caller', () => {
    const results: RpcResult<unknown>[] = [];
    process.deliver(0, 0, () => rpc.callThen('later', 1, { timeoutUs: SECOND }, (result) => results.push(result)), undefined, undefined);
    forSeconds(0.5);
    process.pause();
    calls[0]?.call.answer('in time');
    forSeconds(1);
    process.resume();
    forSeconds(1);
    expect(results).toHaveLength(1);
  });

  it('time out on the clock of the caller, tell the server, and ignore its late answer', () => {
    const result = call('later', 1, 2 * SECOND);
    forSeconds(3);
    expect(result).toEqual([{ ok: false, error: 'timeout' }]);
    expect(calls[0]?.cancelled).toBe(true);
    calls[0]?.call.answer('late');
    forSeconds(1);
    expect(result.length).toBe(1);
  });

  it('given up by their task, tell the server too', () => {
    const run = process.spawn('call', rpc.call('later', 1));
    forSeconds(1);
    run.cancel();
    forSeconds(1);
    expect(calls[0]?.cancelled).toBe(true);
  });

  it('fail all together when the connection breaks; the caller is told of it and the next call connects anew', () => {
    const why: string[] = [];
    rpc.onDisconnect = (reason) => why.push(reason);
    const both = [call('later', 1), call('later', 2)];
    forSeconds(1);
    server.kill('test');
    forSeconds(1);
    expect(both).toEqual([[{ ok: false, error: 'closed' }], [{ ok: false, error: 'closed' }]]);
    expect(why).toEqual(['reset']);
    expect(call('echo', 1)).toEqual([]);
    w.b.start(server.name);
    forSeconds(2);
    const again = call('echo', 3);
    forSeconds(2);
    expect(again).toEqual([{ ok: true, value: 3 }]);
  });

  it('say refused only where nothing was taken, and connect-timeout where nobody answered', () => {
    server.kill('test');
    const refused = call('echo', 1);
    forSeconds(1);
    expect(refused).toEqual([{ ok: false, error: 'refused' }]);
    w.b.crash();
    const silent = call('echo', 1);
    forSeconds(40);
    expect(silent).toEqual([{ ok: false, error: 'connect-timeout' }]);
  });

  it('cannot tell a lost request from a lost answer', () => {
    call('echo', 0);
    forSeconds(1);
    block();
    const lost = call('later', 'request', 5 * SECOND);
    forSeconds(10);
    unblock();
    forSeconds(30);
    const answered = call('later', 'answer', 5 * SECOND);
    forSeconds(1);
    w.world.network.block(w.b, w.a, cut);
    calls.at(-1)?.call.answer('x');
    forSeconds(10);
    expect([lost, answered]).toEqual([[{ ok: false, error: 'timeout' }], [{ ok: false, error: 'timeout' }]]);
  });

  it('an answer is not lost to a full buffer: it waits, as a write to a socket does', () => {
    const first = call('later', 1);
    const second = call('later', 2);
    forSeconds(1);
    calls[0]?.call.answer('big', 10_000_000);
    calls[1]?.call.answer('big too', 10_000_000);
    forSeconds(1);
    expect([first, second]).toEqual([[{ ok: true, value: 'big' }], [{ ok: true, value: 'big too' }]]);
  });

  it('disconnect answers closed to what is in flight', () => {
    const result = call('later', 1);
    forSeconds(1);
    rpc.disconnect();
    forSeconds(1);
    expect(result).toEqual([{ ok: false, error: 'closed' }]);
    expect(calls[0]?.cancelled).toBe(true);
  });
});

describe('streams', () => {
  it('carry messages both ways and end with a last word', () => {
    const stream = open();
    stream.send('hello');
    forSeconds(1);
    expect(streams[0]?.got).toEqual(['hello']);
    for (let i = 0; i < 3; i++) streams[0]?.call.send(i);
    streams[0]?.call.end('bye');
    expect(streams[0]?.call.send('after the end')).toBe(false);
    forSeconds(1);
    expect(stream.log).toEqual(['0', '1', '2', 'end bye']);
  });

  it('cancelled, hear nothing more, and the server knows', () => {
    const stream = open();
    forSeconds(1);
    stream.cancel();
    streams[0]?.call.send('late');
    forSeconds(1);
    expect(stream.log).toEqual([]);
    expect(streams[0]?.cancelled).toBe(true);
  });

  it('break with their connection', () => {
    const stream = open();
    forSeconds(1);
    w.world.network.resetConnections(server);
    forSeconds(1);
    expect(stream.log).toEqual(['broken closed']);
    expect(streams[0]?.cancelled).toBe(true);
  });

  it('a slow reader is seen in the bytes under way, and send says so', () => {
    open();
    forSeconds(1);
    block();
    let taken = 0;
    while (taken < 100 && streams[0]?.call.send('x', 1_000_000)) taken++;
    expect(taken).toBe(5);
    expect(streams[0]?.call.bufferedBytes).toBeGreaterThan(4_000_000);
  });

  it('held by a fault, deliver nothing while calls and other streams go on; released, all comes in order, the end last', () => {
    const held = open('watch pods');
    const free = open('watch nodes');
    forSeconds(1);
    const hold = { process: process.name, label: 'watch pods', touched: 0 };
    w.world.streams.hold(hold);
    const also = { process: process.name, label: 'watch', touched: 0 };
    for (const s of streams) for (let i = 0; i < 3; i++) s.call.send(i);
    const echo = call('echo', 1);
    forSeconds(1);
    expect([held.log, free.log, echo.length]).toEqual([[], ['0', '1', '2'], 1]);
    expect(hold.touched).toBeGreaterThan(0);
    w.world.streams.hold(also);
    w.world.streams.release(hold);
    forSeconds(1);
    expect(held.log).toEqual([]);
    streams[0]?.call.end('bye');
    forSeconds(1);
    w.world.streams.release(also);
    forSeconds(1);
    expect(held.log).toEqual(['0', '1', '2', 'end bye']);
  });

  it('delayed by a fault, deliver each message so much later, in order; what is still under way when it heals comes at once', () => {
    const late = open('watch pods');
    forSeconds(1);
    const delay = { process: process.name, label: 'watch pods', delayUs: 10 * SECOND, touched: 0 };
    w.world.streams.hold(delay);
    streams[0]?.call.send('a');
    forSeconds(4);
    streams[0]?.call.send('b');
    forSeconds(5);
    expect(late.log).toEqual([]);
    forSeconds(2);
    expect(late.log).toEqual(['a']);
    forSeconds(4);
    expect(late.log).toEqual(['a', 'b']);
    streams[0]?.call.send('c');
    forSeconds(1);
    w.world.streams.release(delay);
    forSeconds(1);
    expect([late.log, delay.touched]).toEqual([['a', 'b', 'c'], 3]);
    // The time that was set for it passes without a message.
    streams[0]?.call.send('d');
    forSeconds(20);
    expect(late.log).toEqual(['a', 'b', 'c', 'd']);
  });

  it('delayed and held at once, wait for the end of the hold, and come without a further delay', () => {
    const both = open('watch pods');
    forSeconds(1);
    const delay = { process: process.name, label: 'watch', delayUs: 2 * SECOND, touched: 0 };
    const hold = { process: process.name, label: 'watch pods', touched: 0 };
    w.world.streams.hold(delay);
    streams[0]?.call.send('a');
    forSeconds(1);
    w.world.streams.hold(hold);
    streams[0]?.call.send('b');
    forSeconds(10);
    expect(both.log).toEqual([]);
    w.world.streams.release(hold);
    forSeconds(1);
    expect(both.log).toEqual(['a', 'b']);
  });

  it('what comes between the release and the busy reader keeps its place behind what was held', () => {
    const stream = open('watch pods');
    forSeconds(1);
    const hold = { process: process.name, label: 'watch', touched: 0 };
    w.world.streams.hold(hold);
    streams[0]?.call.send('held');
    forSeconds(1);
    process.deliver(1, 100 * MILLISECOND, () => undefined, undefined, undefined);
    streams[0]?.call.send('after');
    w.world.run(w.world.now + 10 * MILLISECOND);
    w.world.streams.release(hold);
    forSeconds(1);
    expect(stream.log).toEqual(['held', 'after']);
  });
});
