import type { Host } from '../../sim/host.ts';
import type { Process } from '../../sim/process.ts';
import { SECOND, type Micros } from '../../sim/time.ts';
import type { Facts } from '../facts.ts';
import type { NodeKind } from '../node-pools.ts';
import type { CloudInventory } from './compute.ts';

/** From an order for a machine until its kernel boots; the kubelet's registration comes on top. */
const LAUNCH_US: Micros = 30 * SECOND;
const LAUNCH_SPREAD_US: Micros = 20 * SECOND;

/** Machines that are alike, of which the cloud runs as many as it is asked to (an autoscaling group, a node pool). */
export interface NodeGroup {
  readonly name: string;
  readonly min: number;
  readonly kind: NodeKind;
  /** All that it can have, by name in the order in which they are used. */
  readonly machines: readonly Host[];
}

/** A group as the cloud's API tells it. */
export interface NodeGroupState {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly kind: NodeKind;
  /** Machines that run or are on their way. */
  readonly machines: readonly string[];
}

/** The cloud's side of node groups: it switches machines on and off. A machine that comes again comes with an empty disk. */
export class CloudNodeGroups {
  readonly #groups: readonly NodeGroup[];
  readonly #inventory: CloudInventory;
  readonly #facts: Facts;
  readonly #launching = new Set<string>();
  readonly #told = new Map<string, number>();

  constructor(groups: readonly NodeGroup[], inventory: CloudInventory, facts: Facts) {
    this.#groups = groups;
    this.#inventory = inventory;
    this.#facts = facts;
  }

  list(): readonly NodeGroupState[] {
    return this.#groups.map(({ name, min, kind, machines: all }) => {
      const machines = all.filter((host) => this.#isWanted(host.name)).map((host) => host.name);
      if (this.#told.get(name) !== machines.length) {
        this.#told.set(name, machines.length);
        this.#facts.nodeGroup.emit(name, machines.length, all.length, kind.cpuMilli, kind.memoryBytes);
      }
      return { name, min, max: all.length, kind, machines };
    });
  }

  /** Orders more machines; as many as there are. `process` is the cloud's API, on whose clock they come. */
  grow(process: Process, name: string, by: number): void {
    const group = this.#groups.find((candidate) => candidate.name === name);
    const spare = group?.machines.filter((host) => !this.#isWanted(host.name)).slice(0, by) ?? [];
    for (const host of spare) {
      this.#launching.add(host.name);
      process.after(LAUNCH_US + process.random.below(LAUNCH_SPREAD_US), () => {
        this.#launching.delete(host.name);
        this.#inventory.launch(host.name, process.world.now);
        host.disk.wipe();
        host.restorePower();
      });
    }
  }

  /** Switches a machine off for good. One that is on its way still comes. */
  terminate(process: Process, machine: string): void {
    const host = this.#groups.flatMap((group) => group.machines).find((candidate) => candidate.name === machine);
    if (host === undefined || !this.#inventory.isRunning(machine)) return;
    this.#inventory.terminate(machine, process.world.now);
    host.cutPower();
  }

  #isWanted(machine: string): boolean {
    return this.#launching.has(machine) || this.#inventory.isRunning(machine);
  }
}
