import type { Process } from '../../sim/process.ts';
import { MINUTE, type Micros } from '../../sim/time.ts';

/** Upstream ExpectationsTimeout: a missed watch event must not stop a controller for ever. */
const EXPECTATIONS_TIMEOUT: Micros = 5 * MINUTE;

interface Expectation {
  creations: number;
  deletions: number;
  readonly at: Micros;
}

/**
 * What a controller waits to see in its informer before it acts again, so that a lagging cache does not make it create or delete
 * twice: pkg/controller/controller_utils.go, ControllerExpectations.
 */
export class ControllerExpectations {
  readonly #process: Process;
  readonly #expectations = new Map<string, Expectation>();

  constructor(process: Process) {
    this.#process = process;
  }

  /** True when all was seen, or nothing is awaited, or the wait has expired. */
  satisfied(key: string): boolean {
    const expectation = this.#expectations.get(key);
    if (expectation === undefined) return true;
    if (expectation.creations <= 0 && expectation.deletions <= 0) return true;
    return this.#process.mono() - expectation.at > EXPECTATIONS_TIMEOUT;
  }

  expectCreations(key: string, count: number): void {
    this.set(key, count, 0);
  }

  expectDeletions(key: string, count: number): void {
    this.set(key, 0, count);
  }

  set(key: string, creations: number, deletions: number): void {
    this.#expectations.set(key, { creations, deletions, at: this.#process.mono() });
  }

  /** Adds to what is awaited (RaiseExpectations). */
  raise(key: string, creations: number, deletions: number): void {
    this.#lower(key, -creations, -deletions);
  }

  creationObserved(key: string): void {
    this.#lower(key, 1, 0);
  }

  deletionObserved(key: string): void {
    this.#lower(key, 0, 1);
  }

  /** Creations and deletions still awaited. */
  get(key: string): { readonly creations: number; readonly deletions: number } | undefined {
    return this.#expectations.get(key);
  }

  delete(key: string): void {
    this.#expectations.delete(key);
  }

  #lower(key: string, creations: number, deletions: number): void {
    const expectation = this.#expectations.get(key);
    if (expectation === undefined) return;
    expectation.creations -= creations;
    expectation.deletions -= deletions;
  }
}

/** As ControllerExpectations, and remembers which objects' deletions are awaited, so that a deletion seen twice counts once. */
export class UidTrackingExpectations extends ControllerExpectations {
  readonly #uids = new Map<string, Set<string>>();

  /** The deletions awaited: by namespace/name keys or uids, as the controller likes. */
  expectDeletionsOf(key: string, deleted: readonly string[]): void {
    this.#uids.set(key, new Set(deleted));
    this.expectDeletions(key, deleted.length);
  }

  deletionOf(key: string, deleted: string): void {
    if (this.#uids.get(key)?.delete(deleted) === true) this.deletionObserved(key);
  }

  awaits(key: string, deleted: string): boolean {
    return this.#uids.get(key)?.has(deleted) === true;
  }

  override delete(key: string): void {
    this.#uids.delete(key);
    super.delete(key);
  }
}
