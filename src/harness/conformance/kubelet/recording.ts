/** One recorded scenario: goldens/kubelet/README.md, "Format". Parsed as the recordings are; what this runner does not read is left out. */
export interface Recording {
  readonly name: string;
  readonly category: string;
  readonly doc: string;
  readonly setting?: string;
  readonly steps: readonly Step[];
  readonly end?: number;
  readonly pods?: Readonly<Record<string, RecordedPod>>;
  readonly events?: readonly RecordedEvent[];
  readonly program?: Readonly<Record<string, Readonly<Record<string, readonly (readonly [Time, string])[]>>>>;
  readonly node?: { readonly updates: readonly Update[] };
}

/** Seconds after the start: a median, or first and last of the passes. */
export type Time = number | readonly [number, number];

export interface Update {
  readonly t: Time;
  readonly set: Readonly<Record<string, unknown>>;
}

export interface RecordedPod {
  readonly updates?: readonly Update[];
  readonly variants?: readonly { readonly passes: number; readonly updates: readonly Update[] }[];
}

export interface RecordedEvent {
  readonly t: Time;
  readonly object: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
  readonly count: number | readonly [number, number];
  readonly seenIn?: string;
}

export interface Step {
  readonly at: number;
  readonly op: string;
  readonly objects?: readonly RecordedObject[];
  readonly kind?: string;
  readonly name?: string;
  readonly grace?: number;
  readonly patch?: unknown;
  readonly type?: string;
  readonly subresource?: string;
  readonly pod?: unknown;
  readonly container?: string;
  readonly init?: boolean;
  readonly pods?: readonly string[];
  readonly what?: string;
  readonly signal?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly labels?: Readonly<Record<string, string | null>>;
  readonly file?: string;
  readonly fn?: string;
}

export interface RecordedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}
