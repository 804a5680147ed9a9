import type { FilterPlugin } from '../framework.ts';
import { hostPortConflicts } from '../node-info.ts';
import { podInfoOf } from '../pod-info.ts';
import { refusal } from '../status.ts';

const name = 'NodePorts';
const refused = refusal(name, 'Unschedulable', "node(s) didn't have free ports for the requested pod ports");

/** Two pods of a node cannot hold the same host port. */
export const nodePorts: FilterPlugin = {
  name,
  prepareFilter: (pod) => {
    if (pod.hostPorts.length === 0) return 'skip';
    return {
      filter: (node) => {
        for (const port of pod.hostPorts) if (hostPortConflicts(node, port)) return refused;
        return undefined;
      },
    };
  },
  mayHelp: (_pod, event) =>
    event.kind === 'node' ? event.previous === undefined : event.kind === 'pod-deleted' && podInfoOf(event.pod).hostPorts.length > 0,
};
