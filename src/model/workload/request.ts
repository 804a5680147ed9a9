/** What a client asks of an app over a connection to its pod, and what it gets. One connection carries many requests. */
export interface ServiceRequest {
  readonly id: number;
  /** What the app reads, if it reads anything. */
  readonly body?: unknown;
}

export interface ServiceAnswer {
  readonly id: number;
  readonly ok: boolean;
  /** 'namespace/name' of the pod that answered. */
  readonly pod: string;
  readonly body?: unknown;
}

export const REQUEST_BYTES = 400;
export const ANSWER_BYTES = 1200;
