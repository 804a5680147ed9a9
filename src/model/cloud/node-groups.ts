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
  readonly #launching = new Map<string, { readonly process: Process; readonly timer: number }>();

  constructor(groups: readonly NodeGroup[], inventory: CloudInventory, facts: Facts) {
    this.#groups = groups;
    this.#inventory = inventory;
    this.#facts = facts;
  }

  /** Tells the facts how large the groups are; later each change is told by itself. */
  start(): void {
    for (const group of this.#groups) this.#tell(group);
  }

  list(): readonly NodeGroupState[] {
    return this.#groups.map((group) => ({
      name: group.name,
      min: group.min,
      max: group.machines.length,
      kind: group.kind,
      machines: this.#wanted(group),
    }));
  }

  /** Orders more machines; as many as there are. `process` is the cloud's API, on whose clock they come. */
  grow(process: Process, name: string, by: number): void {
    const group = this.#groups.find((candidate) => candidate.name === name);
    if (group === undefined) return;
    for (const host of group.machines.filter((machine) => !this.#isWanted(machine.name)).slice(0, by)) {
      const timer = process.after(LAUNCH_US + process.random.below(LAUNCH_SPREAD_US), () => {
        this.#launching.delete(host.name);
        this.#inventory.launch(host.name, process.world.now);
        host.disk.wipe();
        host.restorePower();
      });
      this.#launching.set(host.name, { process, timer });
    }
    this.#tell(group);
  }

  holds(machine: string): boolean {
    return this.#groups.some(({ machines }) => machines.some((host) => host.name === machine));
  }

  /** The machine goes for good, or its order is taken back. False when it neither runs nor is ordered: nothing has changed. */
  take(machine: string, nowUs: Micros): boolean {
    const group = this.#groups.find(({ machines }) => machines.some((host) => host.name === machine));
    if (group === undefined || !this.#isWanted(machine)) return false;
    const order = this.#launching.get(machine);
    this.#launching.delete(machine);
    if (order !== undefined) order.process.cancel(order.timer);
    else {
      this.#inventory.terminate(machine, nowUs);
      group.machines.find((host) => host.name === machine)?.cutPower();
    }
    this.#tell(group);
    return true;
  }

  #tell(group: NodeGroup): void {
    const { cpuMilli, memoryBytes, os, taints } = group.kind;
    const open = os === 'linux' && taints.length === 0;
    this.#facts.nodeGroup.emit(group.name, this.#wanted(group).length, group.machines.length, cpuMilli, memoryBytes, open);
  }

  #wanted(group: NodeGroup): readonly string[] {
    return group.machines.filter((host) => this.#isWanted(host.name)).map((host) => host.name);
  }

  #isWanted(machine: string): boolean {
    return this.#launching.has(machine) || this.#inventory.isRunning(machine);
  }
}
