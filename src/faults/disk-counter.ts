/** What one fault of a disk touched: the disk counts for all faults of a kind, so a fault counts from its injection to its healing. */
export interface DiskCounter {
  stop(): void;
  touched(): number;
}

/** Counts from now on until `stop`: what a later fault of the same kind touches is not this one's doing. */
export function countFrom(read: () => number): DiskCounter {
  const before = read();
  let after: number | undefined;
  return {
    stop: () => {
      after ??= read();
    },
    touched: () => (after ?? read()) - before,
  };
}
