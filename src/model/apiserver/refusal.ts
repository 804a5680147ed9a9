import type { Status } from '../api/object.ts';

/**
 * Thrown inside a server to end a request with a Status; `ApiServerCore.handle` turns it into the answer. Not an Error: refusals are
 * ordinary answers, and a stack trace for each would cost more than the request.
 */
export class Refusal {
  readonly status: Status;

  constructor(status: Status) {
    this.status = status;
  }
}

/** Ends the request with this Status. */
export function refuse(status: Status): never {
  throw new Refusal(status);
}
