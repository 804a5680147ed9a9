import type { Facts } from '../model/facts.ts';
import type { World } from '../sim/world.ts';
import type { System } from './system.ts';
import type { TrialInput } from './trial-input.ts';

export function clusterSystem(_world: World, _input: TrialInput, _facts: Facts): System {
  throw new Error('being wired');
}
