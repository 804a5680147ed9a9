import type { Node } from '../../../model/api/types.ts';
import type { Fields } from './pod-changes.ts';

/** The fields of a node that recordings name, by their names there. Times, heartbeats and the machine's own description are left out. */
export function nodeFieldsOf(node: Node): Fields {
  const out: Record<string, unknown> = { labels: node.metadata.labels ?? {} };
  for (const { type, status, reason, message } of node.status?.conditions ?? []) out[`cond.${type}`] = { status, reason, message };
  return out;
}
