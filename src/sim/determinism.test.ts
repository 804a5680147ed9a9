import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EffectCounter, LinkModifier } from './link.ts';
import type { Process } from './process.ts';
import { Randomness } from './random.ts';
import { RpcClient, serveRpc } from './rpc.ts';
import type { TiePolicy } from './schedule.ts';
import type { Task } from './task.ts';
import { MILLISECOND, type Micros, SECOND } from './time.ts';
import type { KernelRecorder } from './trace.ts';
import { World } from './world.ts';

/** A random program: what each host does in a loop. */
type Step =
  | { readonly do: 'datagram' | 'call'; readonly to: number }
  | { readonly do: 'sleep'; readonly ms: number }
  | { readonly do: 'write' | 'sync' | 'draw' };

type FaultStep = { readonly atMs: number; readonly forMs: number; readonly host: number } & (
  | { readonly do: 'crash' | 'pause' | 'partition' | 'stall' }
  | { readonly do: 'loss'; readonly ppm: number }
  | { readonly do: 'drift'; readonly ppm: number }
);

interface Scene {
  readonly seed: string;
  readonly policy: TiePolicy;
  readonly programs: readonly (readonly Step[])[];
  readonly faults: readonly FaultStep[];
}

const host = fc.nat(2);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('datagram' as const, 'call' as const), to: host }),
  fc.record({ do: fc.constant('sleep' as const), ms: fc.integer({ min: 1, max: 400 }) }),
  fc.record({ do: fc.constantFrom('write' as const, 'sync' as const, 'draw' as const) }),
);
const fault: fc.Arbitrary<FaultStep> = fc.oneof(
  ...(['crash', 'pause', 'partition', 'stall'] as const).map((kind) =>
    fc.record({ do: fc.constant(kind), atMs: fc.nat(8000), forMs: fc.integer({ min: 1, max: 5000 }), host }),
  ),
  ...(['loss', 'drift'] as const).map((kind) =>
    fc.record({ do: fc.constant(kind), atMs: fc.nat(8000), forMs: fc.integer({ min: 1, max: 5000 }), host, ppm: fc.nat(300_000) }),
  ),
);
const scene: fc.Arbitrary<Scene> = fc.record({
  seed: fc.string(),
  policy: fc.constantFrom<TiePolicy>({ kind: 'fifo' }, { kind: 'jitter', jitterUs: 300 }, { kind: 'pct', jitterUs: 100, changeOneIn: 4 }),
  programs: fc.array(fc.array(step, { minLength: 1, maxLength: 12 }), { minLength: 3, maxLength: 3 }),
  faults: fc.array(fault, { maxLength: 8 }),
});

const HORIZON: Micros = 12 * SECOND;

function* loop(process: Process, steps: readonly Step[], rpc: readonly RpcClient[]): Task<void> {
  const { network } = process.world;
  for (let round = 0; ; round++) {
    for (const s of steps) {
      switch (s.do) {
        case 'datagram':
          network.send(process, network.endpoint(`h${s.to}`, 'udp'), round, 64);
          break;
        case 'call':
          yield* (rpc[s.to] as RpcClient).call('work', round, { timeoutUs: SECOND });
          break;
        case 'sleep':
          yield* process.sleep(s.ms * MILLISECOND);
          break;
        case 'write':
          process.host.disk.append(process, 'log', round, 100);
          break;
        case 'sync':
          yield* process.host.disk.fsync(process, 'log');
          break;
        case 'draw':
          process.charge(process.random.below(1000));
          break;
      }
      yield* process.maybe('step');
    }
    yield* process.sleep(50 * MILLISECOND);
  }
}

/** Builds a scene and runs it. Answers the digest, and what must not depend on a recorder. */
function play(what: Scene, recorder?: KernelRecorder): { digest: string; events: number; files: number } {
  const world = new World({ seed: what.seed, tiePolicy: what.policy, ...(recorder === undefined ? {} : { recorder }) });
  const hosts = [0, 1, 2].map((i) => world.addHost({ name: `h${i}`, zone: `z${i % 2}` }));
  what.programs.forEach((steps, i) => {
    hosts[i]?.install({
      name: 'program',
      restartAfterUs: SECOND,
      start: (process) => {
        world.network.listen(process, `h${i}`, 'udp', { onDatagram: () => process.charge(20) });
        serveRpc(process, `h${i}`, 'rpc', {
          call: (_m, body, call) => void process.after(process.random.below(5000), () => call.answer(body)),
        });
        const rpc = hosts.map((h) => new RpcClient(process, world.network.endpoint(h.name, 'rpc'), { keepAliveUs: 2 * SECOND }));
        process.spawn('loop', loop(process, steps, rpc));
      },
    });
  });
  for (const f of what.faults) {
    const target = hosts[f.host] as (typeof hosts)[number];
    const others = hosts.filter((h) => h !== target);
    const counter: EffectCounter = { touched: 0 };
    const modifier: LinkModifier = { lossPpm: f.do === 'loss' ? f.ppm : 0, touched: 0 };
    const each = (act: (other: (typeof hosts)[number]) => void) => () => others.forEach(act);
    const acts: Record<FaultStep['do'], readonly [() => void, () => void]> = {
      crash: [() => target.crash(), () => target.boot()],
      pause: [() => target.pause(), () => target.resume()],
      stall: [() => target.disk.stall(), () => target.disk.unstall()],
      partition: [each((o) => world.network.block(o, target, counter)), each((o) => world.network.unblock(o, target, counter))],
      loss: [
        each((o) => world.network.link(o, target)?.addModifier(modifier)),
        each((o) => world.network.link(o, target)?.removeModifier(modifier)),
      ],
      drift: [() => target.clock.addDrift(f.do === 'drift' ? f.ppm : 0), () => target.clock.addDrift(f.do === 'drift' ? -f.ppm : 0)],
    };
    world.at(f.atMs * MILLISECOND, acts[f.do][0]);
    world.at((f.atMs + f.forMs) * MILLISECOND, acts[f.do][1]);
  }
  expect(world.run(HORIZON).kind).not.toBe('livelock');
  return {
    digest: world.digest.value(),
    events: world.digest.events,
    files: hosts.reduce((n, h) => n + (h.disk.read('log')?.length ?? 0), 0),
  };
}

describe('the same input gives the same run', () => {
  it('random programs under random faults: two runs agree in digest, events and disks, with and without a recorder', () => {
    let notes = 0;
    const note = (): void => void notes++;
    const recorder: KernelRecorder = { sent: note, delivered: note, dropped: note, process: note, disk: note };
    fc.assert(
      fc.property(scene, (what) => {
        const first = play(what);
        expect(play(what)).toEqual(first);
        expect(play(what, recorder)).toEqual(first);
      }),
      { seed: 9, numRuns: 60 },
    );
    expect(notes).toBeGreaterThan(1000);
  });

  it('another seed gives another run', () => {
    const what: Scene = {
      seed: 'a',
      policy: { kind: 'fifo' },
      programs: [[{ do: 'datagram', to: 1 }], [{ do: 'draw' }], [{ do: 'draw' }]],
      faults: [],
    };
    expect(play(what).digest).not.toBe(play({ ...what, seed: 'b' }).digest);
  });
});

describe('one message less', () => {
  it('leaves every draw of later seconds what it was, on its own link and on all others', () => {
    const sends = fc.array(fc.record({ atMs: fc.nat(5000), to: fc.integer({ min: 1, max: 2 }) }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(fc.string(), sends, fc.nat(), (seed, plan, pick) => {
        const removed = pick % plan.length;
        const arrivals = (skip: number): Map<number, Micros> => {
          const world = new World({ seed });
          const hosts = [0, 1, 2].map((i) => world.addHost({ name: `h${i}`, zone: `z${i}` }));
          const out = new Map<number, Micros>();
          const [sender] = hosts.map((h) => {
            h.install({
              name: 'p',
              start: (p) => void world.network.listen(p, h.name, 'udp', { onDatagram: (n) => out.set(n as number, world.now) }),
            });
            return h.process('p') as Process;
          });
          plan.forEach((s, n) => {
            if (n === skip) return;
            world.at((1000 + s.atMs) * MILLISECOND, () =>
              world.network.send(sender as Process, world.network.endpoint(`h${s.to}`, 'udp'), n, 64),
            );
          });
          world.run(20 * SECOND);
          return out;
        };
        const all = arrivals(-1);
        const fewer = arrivals(removed);
        const gone = plan[removed] as { atMs: number; to: number };
        const second = (atMs: number): number => Math.floor((1000 + atMs) / 1000);
        plan.forEach((s, n) => {
          if (n === removed) return;
          if (s.to !== gone.to || second(s.atMs) > second(gone.atMs)) expect(fewer.get(n)).toBe(all.get(n));
        });
      }),
      { seed: 10, numRuns: 100 },
    );
  });

  it('a stream that nobody else draws from is not touched at all', () => {
    const clock = { now: 0 };
    const streams = new Randomness('x', clock);
    const before = new Randomness('x', clock).stream('mine').u32();
    for (let i = 0; i < 5; i++) streams.stream(`other ${i}`).u32();
    expect(streams.stream('mine').u32()).toBe(before);
  });
});
