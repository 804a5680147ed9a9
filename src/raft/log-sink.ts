/**
 * Where a node's log lines go. Absent in simulations: every call is written `sink?.info(\`…\`)`, so that without a sink not even
 * the text is built.
 */
export interface LogSink {
  debug(text: string): void;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}

/** A node id as log lines print it. */
export function hex(id: number): string {
  return id.toString(16);
}
