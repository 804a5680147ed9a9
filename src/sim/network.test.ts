import { beforeEach, describe, expect, it } from 'vitest';
import type { LinkModifier } from './link.ts';
import type { Endpoint } from './network.ts';
import type { Process } from './process.ts';
import { MILLISECOND, SECOND } from './time.ts';
import type { DropReason, KernelRecorder } from './trace.ts';
import { runProgram, type TestWorld, testWorld } from './world.fixture.ts';

let w: TestWorld;
let sender: Process;
let target: Endpoint;
let got: { at: number; what: number }[];
let drops: DropReason[];

beforeEach(() => {
  drops = [];
  const none = (): void => undefined;
  const recorder: KernelRecorder = {
    sent: none,
    delivered: none,
    process: none,
    disk: none,
    dropped: (_id, _at, reason) => drops.push(reason),
  };
  w = testWorld({ recorder });
  got = [];
  sender = runProgram(w.a);
  runProgram(w.b, (process) => {
    target = w.world.network.listen(process, 'b', '1', {
      onDatagram: (payload) => got.push({ at: w.world.now, what: payload as number }),
    });
  });
  w.world.run(SECOND);
});

const sendAt = (at: number, what: number, ordered = false): void => {
  w.world.at(at, () => w.world.network.send(sender, target, what, 100, ordered));
};
const modify = (modifier: Omit<LinkModifier, 'touched'>): LinkModifier => {
  const active = { ...modifier, touched: 0 };
  w.world.network.link(w.a, w.b)?.addModifier(active);
  return active;
};
const whats = (): number[] => got.map((g) => g.what);

describe('datagrams', () => {
  it('take the latency of the zone, and next to nothing within a host', () => {
    sendAt(2 * SECOND, 1);
    w.world.run(3 * SECOND);
    const latency = (got[0]?.at ?? 0) - 2 * SECOND;
    expect(latency).toBeGreaterThanOrEqual(500);
    expect(latency).toBeLessThan(8 * MILLISECOND);
    const local = runProgram(w.b);
    w.world.at(4 * SECOND, () => w.world.network.send(local, target, 2, 100));
    w.world.run(5 * SECOND);
    expect(got[1]).toEqual({ at: 4 * SECOND + 20, what: 2 });
  });

  it('are lost at the ratio of the fault, which counts them, and no more once it ends', () => {
    const loss = modify({ lossPpm: 300_000 });
    for (let i = 0; i < 400; i++) sendAt(2 * SECOND + i * 1000, i);
    w.world.run(10 * SECOND);
    expect(loss.touched).toBe(400 - got.length);
    expect(drops).toEqual(new Array(loss.touched).fill('loss'));
    expect(loss.touched).toBeGreaterThan(80);
    expect(loss.touched).toBeLessThan(160);
    w.world.network.link(w.a, w.b)?.removeModifier(loss);
    got.length = 0;
    for (let i = 0; i < 50; i++) sendAt(11 * SECOND + i * 1000, i);
    w.world.run(20 * SECOND);
    expect(got.length).toBe(50);
  });

  it('arrive twice under duplication, later under latency, and by their size under a bandwidth', () => {
    const duplicate = modify({ duplicatePpm: 1_000_000 });
    sendAt(2 * SECOND, 1);
    w.world.run(3 * SECOND);
    expect(whats()).toEqual([1, 1]);
    expect(duplicate.touched).toBe(1);
    // What a connection sends twice arrives once: nothing is touched.
    w.world.network.link(w.a, w.b)?.pass(w.world.now, 1);
    expect(duplicate.touched).toBe(1);
    w.world.network.link(w.a, w.b)?.removeModifier(duplicate);
    got.length = 0;
    const slow = modify({ extraLatencyUs: 100 * MILLISECOND });
    sendAt(4 * SECOND, 2);
    w.world.run(5 * SECOND);
    expect(got[0]?.at).toBeGreaterThanOrEqual(4 * SECOND + 100 * MILLISECOND);
    w.world.network.link(w.a, w.b)?.removeModifier(slow);
    got.length = 0;
    modify({ bytesPerSecond: 1000 });
    for (let i = 0; i < 3; i++) sendAt(6 * SECOND, i);
    w.world.run(10 * SECOND);
    expect(got.map((g) => Math.floor((g.at - 6 * SECOND) / (100 * MILLISECOND)))).toEqual([1, 2, 3]);
  });

  it('ordered ones keep their order over a jittering link; a reorder fault breaks even theirs', () => {
    modify({ extraJitterUs: 50 * MILLISECOND });
    for (let i = 0; i < 100; i++) sendAt(2 * SECOND + i * 100, i);
    w.world.run(3 * SECOND);
    const sorted = Array.from({ length: 100 }, (_, i) => i);
    expect(whats()).not.toEqual(sorted);
    got.length = 0;
    for (let i = 0; i < 100; i++) sendAt(4 * SECOND + i * 100, i, true);
    w.world.run(5 * SECOND);
    expect(whats()).toEqual(sorted);
    got.length = 0;
    modify({ reorderPpm: 333_333, reorderUs: 100 * MILLISECOND });
    for (let i = 0; i < 100; i++) sendAt(6 * SECOND + i * 100, i, true);
    w.world.run(8 * SECOND);
    expect(whats()).not.toEqual(sorted);
    expect(whats().toSorted((x, y) => x - y)).toEqual(sorted);
  });

  it('a partition hits messages in flight, one direction only, and ends with its own healing', () => {
    modify({ extraLatencyUs: SECOND });
    const cut = { touched: 0 };
    const second = { touched: 0 };
    sendAt(2 * SECOND, 1);
    w.world.at(2.5 * SECOND, () => w.world.network.block(w.a, w.b, cut));
    sendAt(4 * SECOND, 2);
    w.world.at(5 * SECOND, () => w.world.network.block(w.a, w.b, second));
    w.world.at(6 * SECOND, () => w.world.network.unblock(w.a, w.b, cut));
    sendAt(7 * SECOND, 3);
    const back: number[] = [];
    const answers = runProgram(w.a, (process) => {
      w.world.network.listen(process, 'a', '1', { onDatagram: (payload) => back.push(payload as number) });
    });
    const other = w.b.processes()[0] as Process;
    w.world.at(7 * SECOND, () => w.world.network.send(other, w.world.network.endpoint('a', '1'), 9, 10));
    w.world.at(8 * SECOND, () => w.world.network.unblock(w.a, w.b, second));
    sendAt(9 * SECOND, 4);
    w.world.run(20 * SECOND);
    expect(whats()).toEqual([4]);
    expect([cut.touched, second.touched]).toEqual([2, 1]);
    expect(drops).toEqual(['partition', 'partition', 'partition']);
    expect(back).toEqual([9]);
    expect(answers.alive).toBe(true);
  });

  it('say why they did not arrive: nobody listens, the host is down, the address is nowhere', () => {
    w.world.network.send(sender, w.world.network.endpoint('b', '99'), 1, 1);
    w.world.network.send(sender, w.world.network.endpoint('10.0.0.1', '80'), 1, 1);
    w.world.run(2 * SECOND);
    w.b.crash();
    w.world.network.send(sender, target, 1, 1);
    w.world.run(3 * SECOND);
    expect(drops.toSorted()).toEqual(['dead-host', 'no-listener', 'no-listener']);
  });

  it('follow an address that moves to another host', () => {
    const pod = w.world.network.endpoint('10.0.0.1', '80');
    const at: string[] = [];
    w.world.network.bindAddress('10.0.0.1', w.b);
    const first = runProgram(w.b, (p) => void w.world.network.listen(p, '10.0.0.1', '80', { onDatagram: () => at.push('b') }));
    w.world.network.send(sender, pod, 1, 1);
    w.world.run(2 * SECOND);
    first.kill('moved');
    w.world.network.bindAddress('10.0.0.1', w.c);
    runProgram(w.c, (p) => void w.world.network.listen(p, '10.0.0.1', '80', { onDatagram: () => at.push('c') }));
    w.world.network.send(sender, pod, 1, 1);
    w.world.run(3 * SECOND);
    expect(at).toEqual(['b', 'c']);
  });

  it('a port belongs to one live process', () => {
    expect(() => runProgram(w.b, (p) => void w.world.network.listen(p, 'b', '1', { onDatagram: () => undefined }))).toThrow(
      /which program-\d+ holds/,
    );
  });
});
