import { SECOND } from '../../../sim/time.ts';
import { Bench, type Conditions, NODE_NAME } from './bench.ts';
import { Observer, type SeenEvent, type SeenUpdate } from './observer.ts';
import { fromRecording } from './placeholders.ts';
import type { Recording, Step } from './recording.ts';
import { StepPlayer } from './step-player.ts';

/** What the simulated kubelet did with a scenario, in the recording's terms. */
export interface Replay {
  readonly pods: Readonly<Record<string, readonly SeenUpdate[]>>;
  readonly events: readonly SeenEvent[];
  readonly program: Readonly<Record<string, Readonly<Record<string, readonly (readonly [number, string])[]>>>>;
  readonly node: readonly SeenUpdate[];
  readonly refused: readonly string[];
}

/** Replays a scenario's steps on virtual time. */
export function replay(recording: Recording, conditions: Conditions, seed: string): Replay {
  const bench = new Bench(seed, conditions);
  const { world } = bench;
  const start = 90 * SECOND + conditions.phaseUs;
  const observer = new Observer(world, start);
  observer.listen(bench);
  world.run(start - SECOND);
  observer.watch(bench.client, recording.name, NODE_NAME);
  world.run(start);
  const player = new StepPlayer(bench, observer, recording.name);
  for (const step of (fromRecording(recording.steps) as readonly Step[]).toSorted((a, b) => a.at - b.at)) {
    world.run(start + Math.round(step.at * SECOND));
    player.play(step);
  }
  world.run(start + Math.round((recording.end ?? 60) * SECOND));
  return {
    pods: observer.pods,
    events: observer.events(),
    program: observer.program(),
    node: observer.node,
    refused: player.refused,
  };
}
