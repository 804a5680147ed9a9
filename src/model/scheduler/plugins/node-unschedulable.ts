import type { Taint } from '../../api/types.ts';
import type { FilterPlugin } from '../framework.ts';
import { refusal } from '../status.ts';
import { isTolerated } from '../tolerations.ts';

const name = 'NodeUnschedulable';
const refused = refusal(name, 'UnschedulableAndUnresolvable', 'node(s) were unschedulable');
const taint: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

/** Cordoned nodes take only pods that tolerate the taint which the cordon implies. */
export const nodeUnschedulable: FilterPlugin = {
  name,
  prepareFilter: (pod) => ({
    filter: (node) => (!node.unschedulable || isTolerated(pod.pod.spec.tolerations, taint) ? undefined : refused),
  }),
  mayHelp: (_pod, event) =>
    event.kind === 'node' &&
    event.next.spec?.unschedulable !== true &&
    (event.previous === undefined || event.previous.spec?.unschedulable === true),
};
