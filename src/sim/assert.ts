/** A broken invariant of our own: never a simulated failure, never a user's mistake. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/**
 * Throws when an invariant of ours does not hold. The message states the value, the legal range and the suspicion.
 * @throws InvariantError
 */
export function assert(condition: boolean, message: string | (() => string)): asserts condition {
  if (!condition) throw new InvariantError(typeof message === 'string' ? message : message());
}

/** Ends a switch over a union: a variant that is not handled does not compile. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable variant: ${String(value)}`);
}
