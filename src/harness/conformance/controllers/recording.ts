import type { UntypedObject } from '../../../model/api/object.ts';

/** A node of a recorded cluster, or one that a step adds. */
export interface RecordedNode {
  readonly name: string;
  readonly capacity?: { readonly [key: string]: string };
  readonly labels?: { readonly [key: string]: string };
  readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  readonly images?: readonly { readonly names: readonly string[]; readonly sizeBytes: number }[];
  readonly unschedulable?: boolean;
  readonly ready?: boolean;
}

interface ObjectName {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** One operation of a scenario; which fields there are depends on `op`. */
export interface Step {
  readonly at: number;
  readonly op: string;
  readonly object?: UntypedObject | readonly UntypedObject[];
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly type?: 'merge' | 'strategic' | 'json';
  readonly patch?: unknown;
  readonly subresource?: string;
  readonly replicas?: number;
  readonly propagation?: string;
  readonly grace?: number;
  /** A node's name, several, or (addNode) the node itself. */
  readonly node?: string | readonly string[] | RecordedNode;
  readonly labels?: { readonly [key: string]: string | null };
  readonly taints?: RecordedNode['taints'];
  readonly undo?: boolean;
  readonly toRevision?: number;
  readonly stamp?: string;
  readonly timeout?: number;
  readonly parallel?: boolean;
  readonly owner?: ObjectName;
  readonly owners?: readonly ObjectName[];
  readonly block?: boolean;
  readonly metrics?: Metrics;
  readonly ready?: boolean;
  readonly capacity?: { readonly [key: string]: string };
}

/** What the fake metrics API answers. */
export interface Metrics {
  readonly cpu?: number;
  readonly totalCpu?: number;
  readonly memory?: number;
  readonly totalMemory?: number;
  readonly unreadyCpu?: number;
  readonly missingFor?: number;
  readonly missing?: boolean;
}

export interface RecordedResult {
  readonly step: number;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly drain?: string;
}

export interface RecordedEvent {
  readonly t: number;
  readonly object: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number | string;
  readonly source: string;
}

/** `[seconds, value]`, in order. */
export type Story = readonly (readonly [number, unknown])[];

export interface RecordedFacts {
  readonly podLog?: readonly (readonly [number, ...string[]])[] | { readonly [key: string]: readonly (readonly [number, ...string[]])[] };
  readonly replicaSets?: { readonly [deployment: string]: Story };
  readonly counts?: { readonly [controller: string]: { readonly [what: string]: number | readonly number[] } };
  readonly decisions?: readonly RecordedPlacement[];
}

export interface RecordedPlacement {
  readonly pod: string;
  readonly t?: number;
  readonly node?: string;
  readonly evaluated?: number;
  readonly feasible?: number;
  readonly scores?: { readonly [node: string]: { readonly [plugin: string]: number } };
  readonly total?: { readonly [node: string]: number };
  readonly top?: readonly string[];
}

/** A scenario file of goldens/controllers or goldens/scheduler (format: the README beside them). */
export interface Recording {
  readonly name: string;
  readonly category: string;
  readonly namespace: string;
  readonly flags: { readonly [program: string]: { readonly [flag: string]: string } };
  readonly cluster: { readonly nodes: readonly RecordedNode[] };
  readonly pre?: readonly UntypedObject[];
  readonly steps: readonly Step[];
  readonly end: number;
  readonly results: readonly RecordedResult[];
  readonly facts: RecordedFacts;
  readonly events: readonly RecordedEvent[];
  readonly outcome: { readonly [object: string]: { readonly [field: string]: unknown } };
  readonly stories: { readonly [object: string]: { readonly [field: string]: Story } };
  readonly startsAtSecondOfMinute?: number;
  /** Differences between the passes without meaning, and those that weakened the recording. */
  readonly transient: readonly string[];
  readonly unstable: readonly string[];
}
