import type { Operator } from '../faults/fault.ts';
import type { Topology } from '../faults/topology.ts';
import type { StoredObject } from '../properties/property.ts';

/** The cluster under test as the harness holds it: built for one trial, then only asked and told. */
export interface System {
  readonly topology: Topology;
  /** Names of the voting etcd members. */
  readonly members: readonly string[];
  readonly operator: Operator;
  /** Users apply the trial's manifests. */
  applyManifests(): void;
  /** Users stop: no operations from now on. */
  stopUsers(): void;
  /** The clients that read and write etcd keys stop. */
  /** Clients of the bare store pause so many times longer between operations from now on. */
  easeStoreClients(times: number): void;
  stopStoreClients(): void;
  /** Committed objects, sorted; empty without API servers. */
  storedObjects(): readonly StoredObject[];
  /** Warnings for the user, known at the end. */
  notes(): readonly string[];
}
