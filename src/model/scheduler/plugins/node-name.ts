import type { FilterPlugin } from '../framework.ts';
import { refusal } from '../status.ts';

const name = 'NodeName';
const refused = refusal(name, 'UnschedulableAndUnresolvable', "node(s) didn't match the requested node name");

/** A pod that names its node goes there or nowhere. */
export const nodeName: FilterPlugin = {
  name,
  prepareFilter: (pod) => {
    const wanted = pod.pod.spec.nodeName;
    if (wanted === undefined || wanted === '') return 'skip';
    return { filter: (node) => (node.name === wanted ? undefined : refused) };
  },
  mayHelp: (_pod, event) => event.kind === 'node' && event.previous === undefined,
};
