import type { PropertyVerdict, Witness } from '../properties/property.ts';
import type { DigestCheckpoint } from '../sim/digest.ts';
import type { Micros } from '../sim/time.ts';
import type { FaultEffect } from './plan.ts';

/** What one property said of one trial. */
export interface PropertyResult {
  readonly property: string;
  readonly verdict: PropertyVerdict;
  readonly exercised: number;
  readonly reason?: string;
}

/** A broken clause with its witness. */
export interface Violation {
  readonly property: string;
  readonly witness: Witness;
}

/** How one trial ended. Plain data: it travels between worker and main thread. */
export interface TrialResult {
  readonly status: 'passed' | 'violated' | 'inconclusive';
  readonly properties: readonly PropertyResult[];
  /** In the order in which they were found; the first decides the signature. */
  readonly violations: readonly Violation[];
  readonly digest: string;
  readonly checkpoints: readonly DigestCheckpoint[];
  readonly events: number;
  readonly endUs: Micros;
  readonly healedAtUs: Micros | undefined;
  readonly effects: readonly FaultEffect[];
  /** Warnings for the user: kinds taken as opaque, refused manifests. */
  readonly notes: readonly string[];
}

/** Property and clause: what shrinking keeps and what merges duplicates. No names, counts or times. */
export interface Signature {
  readonly property: string;
  readonly clause: string;
}

export function signatureOf(violation: Violation): Signature {
  return { property: violation.property, clause: violation.witness.clause };
}

export function sameSignature(a: Signature, b: Signature): boolean {
  return a.property === b.property && a.clause === b.clause;
}

/** The violation with the signature, if the trial has one. */
export function findViolation(result: TrialResult, signature: Signature): Violation | undefined {
  return result.violations.find((violation) => sameSignature(signatureOf(violation), signature));
}
