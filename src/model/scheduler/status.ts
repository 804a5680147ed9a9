/** Why a plugin refuses a pod or a node: upstream framework.Status. Success is undefined, so the common case allocates nothing. */
export interface Refusal {
  /** Unresolvable: no preemption of pods on the node would help. Pending: wait without an event (scheduling gates). */
  readonly code: 'Unschedulable' | 'UnschedulableAndUnresolvable' | 'Error' | 'Pending';
  readonly reasons: readonly string[];
  readonly plugin: string;
}

export function refusal(plugin: string, code: Refusal['code'], ...reasons: string[]): Refusal {
  return { plugin, code, reasons };
}
