import type { Micros } from './time.ts';

/** Why a message did not arrive. */
export type DropReason = 'loss' | 'partition' | 'dead-host' | 'no-listener' | 'dead-process' | 'closed';

/**
 * What the recorder is told by the kernel. Searching runs have no recorder: the digest is all they keep. A failure is run again with one.
 * Messages are told as they leave and as they arrive, so a lost one is a send without an arrival.
 */
export interface KernelRecorder {
  /** `id` is unique in the run; `kind` is 'datagram', 'data', 'open' or 'close'. */
  sent(id: number, at: Micros, from: string, to: string, kind: string, payload: unknown): void;
  delivered(id: number, at: Micros): void;
  dropped(id: number, at: Micros, reason: DropReason): void;
  process(at: Micros, host: string, name: string, what: 'started' | 'killed' | 'exited' | 'paused' | 'resumed', detail: string): void;
  disk(at: Micros, host: string, what: string, detail: string): void;
}

/** Kinds of kernel events, as the digest sees them. Never renumber: digests of stored trials depend on them. */
export const EVENT_KIND = {
  timer: 1,
  datagram: 2,
  segment: 3,
  connection: 4,
  disk: 5,
  cpu: 6,
  action: 7,
} as const;
