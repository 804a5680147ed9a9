import type { Arbitrary } from 'fast-check';
import type { Facts } from '../model/facts.ts';
import type { Errand } from '../model/workload/errand.ts';
import type { EtcdctlOrder } from '../model/workload/etcdctl.ts';
import type { Process } from '../sim/process.ts';
import type { World } from '../sim/world.ts';
import type { Topology } from './topology.ts';

/** Parameters of a fault as they stand in a trial file: plain data with a `kind`. */
export interface FaultParams {
  readonly kind: string;
}

/** What a fault acts on. It reaches the physical world, and of the cluster only what an operator could: never a program's internals. */
export interface FaultTarget {
  readonly world: World;
  readonly topology: Topology;
  /** For faults that strike at a fact; they only mark what is to die, at an effect that comes later. */
  readonly facts: Facts;
  readonly operator: Operator;
}

/** What an operator can ask of a running cluster; implemented by the harness over a kubectl-like user and an etcdctl-like client. */
export interface Operator {
  /** `kubectl set image deployment/<name> *=<image>`. */
  setImage(deployment: string, image: string): Errand;
  scale(deployment: string, replicas: number): Errand;
  /** `kubectl apply` of a deployment with another image and another number of replicas. */
  applyDeployment(deployment: string, image: string, replicas: number): Errand;
  /** `kubectl delete node` and `kubectl delete namespace`. */
  deleteNode(node: string): Errand;
  deleteNamespace(namespace: string): Errand;
  /** Deletes the nth pod (by name) of a Deployment or StatefulSet. */
  deletePod(workload: string, ordinal: number): Errand;
  /** `kubectl drain` and `kubectl uncordon`. */
  drain(node: string): Errand;
  uncordon(node: string): void;
  /** The running container processes of the nth pod (by name) of a workload; none where there is no such pod. */
  podProcesses(workload: string, ordinal: number): readonly Process[];
  /** Not an operator's doing: the cloud's API answers from a copy of its books that is so old. */
  lagCloud(lagUs: number): ActiveFault;
  /** Nor this: whoever owns the machines switches one off for good. False where there was none to take. */
  reclaimMachine(machine: string): boolean;
  /** `etcdctl move-leader`. */
  moveLeader(toMember: string): Errand;
  /** Starts a client that sends so many requests at a time over so many objects of its own; `sent` counts them. */
  floodApi(requests: number, objects: number): { stop(): void; readonly sent: number };
  /** Other commands of etcdctl; `through`: asks this member and no other. */
  etcdctl(order: EtcdctlOrder, through?: string): Errand;
  /** Deployments known from the applied manifests, `namespace/name`. */
  readonly deployments: readonly string[];
}

/** A fault that is in effect. */
export interface ActiveFault {
  /** Ends it. Called once: when its time is over, or when all healing begins. */
  heal(): void;
  /** Messages dropped, syncs stalled, processes killed, orders that the cluster took: 0 means that the fault touched nothing. */
  touched(): number;
  /** Hosts that it turned out to hit, where the parameters alone do not tell. */
  lanes?(): readonly string[];
}

/** How a parameter is read from a scenario: bounds for the generator, a type for the validator. */
export type ParamSpec =
  | { readonly type: 'integer'; readonly min: number; readonly max: number; readonly unit: string }
  | {
      readonly type: 'names';
      readonly of: (topology: Topology) => readonly string[];
      readonly min: number;
      /** All of them may be drawn; otherwise one is always spared. */
      readonly all?: boolean;
    }
  | {
      readonly type: 'name';
      readonly of: (topology: Topology) => readonly string[];
      /** Names that a scenario may give beside those that are drawn. */
      readonly also?: (topology: Topology) => readonly string[];
      /** A scenario may leave it out. */
      readonly optional?: true;
    }
  | { readonly type: 'boolean' }
  | { readonly type: 'text' };

/**
 * One kind of fault: one file, one row in the registry. `P` is what the generator draws and the trial file holds.
 * Its arbitrary must be able to shrink a value that was read from a file (`canShrinkWithoutContext`): no `chain`, no `map` without an
 * unmapper, no `constantFrom` of objects.
 */
export interface Fault<P extends FaultParams = FaultParams> {
  readonly kind: P['kind'];
  /** One sentence for people: what happens to what. */
  readonly about: string;
  /** An operation of a user counts as chaos but is shrunk after the faults, and there is nothing to heal. */
  readonly operation: boolean;
  /** A plan draws it only where the scenario names it: it costs more than all others together. */
  readonly onlyByName?: true;
  /** Parameters by name, for scenario files and docs. */
  readonly params: Readonly<Record<Exclude<keyof P, 'kind'>, ParamSpec>>;
  /** Undefined when this cluster offers nothing that the fault could hit. */
  arbitrary(topology: Topology): Arbitrary<P> | undefined;
  /** `partition cp-2 | cp-0 cp-1`: the label in plans and diagrams. */
  describe(params: P): string;
  /** Hosts and programs whose lanes a band covers. */
  lanes(params: P, topology: Topology): readonly string[];
  inject(target: FaultTarget, params: P): ActiveFault;
}
