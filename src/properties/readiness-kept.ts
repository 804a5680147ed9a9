import { SECOND, formatSeconds, type Micros } from '../sim/time.ts';
import { condition, keyOf, text } from './fields.ts';
import type { Property } from './property.ts';

/** A pod that loses its readiness so soon after its kubelet's return loses it by that. */
const RESTART_US: Micros = 15 * SECOND;

interface Restart {
  readonly downUs: Micros;
  readonly upUs: Micros;
}

/**
 * A kubelet that starts anew leaves running pods as they were (KEP-4781). Until 1.34 it did not, so only scenarios ask for it that let
 * kubelets restart and leave applications alone.
 */
export const readinessKept: Property = {
  id: 'readiness-kept',
  about: 'The restart of a kubelet does not make a pod unready whose containers ran on.',
  clauses: [{ id: 'still-ready', must: 'A ready pod whose containers run through the restart of its kubelet stays ready.' }],
  needsKubernetes: true,
  onlyWhereRequired: true,
  start({ facts, clock, violate }) {
    const down = new Map<string, { readonly node: string; readonly atUs: Micros }>();
    const restarts = new Map<string, Restart>();
    const stoppedUs = new Map<string, Micros>();
    const ready = new Map<string, { readonly node: string; readonly ready: boolean }>();
    let judged = 0;
    facts.faultInjected.subscribe((fault, kind, targets) => {
      if (kind === 'crash-process' && targets.startsWith('kubelet-'))
        down.set(fault, { node: targets.slice('kubelet-'.length), atUs: clock.now });
    });
    facts.faultHealed.subscribe((fault) => {
      const ended = down.get(fault);
      if (ended === undefined) return;
      restarts.set(ended.node, { downUs: ended.atUs, upUs: clock.now });
      if ([...ready.values()].some((pod) => pod.node === ended.node && pod.ready)) judged++;
    });
    facts.containerStopped.subscribe((_node, _pod, uid) => stoppedUs.set(uid, clock.now));
    facts.objectChanged.subscribe((_revision, key, object) => {
      if (!key.startsWith('/registry/pods/')) return;
      const was = ready.get(key)?.ready ?? false;
      const is = condition(object, 'Ready') === 'True';
      if (object === undefined) ready.delete(key);
      const node = text(object, 'spec', 'nodeName');
      if (object !== undefined) ready.set(key, { node, ready: is });
      const restart = restarts.get(node);
      if (object === undefined || restart === undefined || clock.now - restart.upUs > RESTART_US) return;
      const stopped = stoppedUs.get(text(object, 'metadata', 'uid')) ?? 0;
      if (!was || is || stopped > restart.downUs || text(object, 'metadata', 'deletionTimestamp') !== '') return;
      violate({
        clause: 'still-ready',
        atUs: clock.now,
        sentence: `${keyOf(object)} is called unready ${formatSeconds(clock.now - restart.upUs)} after the kubelet of ${node} came back, although its containers ran on.`,
        expected: 'Ready True',
        actual: `Ready ${condition(object, 'Ready')}`,
        subjects: [node, keyOf(object)],
        facts: [
          { atUs: restart.upUs, subject: node, text: 'has its kubelet back' },
          { atUs: clock.now, subject: node, text: `calls ${keyOf(object)} unready` },
        ],
      });
    });
    return { exercised: () => judged };
  },
};
