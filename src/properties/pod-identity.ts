import type { Micros } from '../sim/time.ts';
import { Daemons } from './daemons.ts';
import type { Property } from './property.ts';

interface Running {
  readonly node: string;
  readonly uid: string;
  readonly container: string;
  readonly fromUs: Micros;
}

/** One pod of a name never runs twice: the promise that StatefulSets are built on (kubernetes#59848). */
export const podIdentity: Property = {
  id: 'pod-identity',
  about: 'At any instant at most one pod of a name has running containers, and a pod runs on one node only.',
  clauses: [
    { id: 'one-uid-per-name', must: 'Containers of two pods with the same namespace and name never run at the same time.' },
    { id: 'one-node-per-pod', must: 'Containers of one pod never run on two nodes.' },
    { id: 'one-instance-per-container', must: 'A container of a pod never has two running instances.' },
    {
      id: 'one-daemon-per-node',
      must: 'A node never runs two pods of one DaemonSet of which neither is being deleted (those of a surge aside).',
    },
  ],
  needsKubernetes: true,
  start({ facts, clock, violate }) {
    const running = new Map<string, Map<string, Running>>();
    const daemons = new Daemons();
    let judged = 0;
    facts.containerStarted.subscribe((node, pod, uid, container, instance) => {
      judged++;
      let ofName = running.get(pod);
      if (ofName === undefined) {
        ofName = new Map();
        running.set(pod, ofName);
      }
      for (const other of ofName.values()) {
        const clause =
          other.uid !== uid
            ? 'one-uid-per-name'
            : other.node !== node
              ? 'one-node-per-pod'
              : other.container === container
                ? 'one-instance-per-container'
                : undefined;
        if (clause === undefined) continue;
        violate({
          clause,
          atUs: clock.now,
          sentence: `${pod} started on ${node} while it was still running on ${other.node}.`,
          expected: `${pod} runs once`,
          actual: `${pod} runs on ${other.node} and on ${node}`,
          subjects: [other.node, node],
          facts: [
            { atUs: other.fromUs, subject: other.node, text: `starts ${other.container} of ${pod} (uid ${other.uid})` },
            { atUs: clock.now, subject: node, text: `starts ${container} of ${pod} (uid ${uid})` },
          ],
          figure: {
            kind: 'intervals',
            rows: [
              { label: `${pod} on ${other.node}`, fromUs: other.fromUs, toUs: undefined },
              { label: `${pod} on ${node}`, fromUs: clock.now, toUs: undefined },
            ],
          },
        });
        break;
      }
      ofName.set(instance, { node, uid, container, fromUs: clock.now });
      const twin = daemons.started(uid, node);
      if (twin === undefined) return;
      violate({
        clause: 'one-daemon-per-node',
        atUs: clock.now,
        sentence: `${node} runs ${pod} and ${twin}, both of one DaemonSet.`,
        expected: `one pod of the DaemonSet on ${node}`,
        actual: `${twin} and ${pod}`,
        subjects: [node, pod, twin],
        facts: [{ atUs: clock.now, subject: node, text: `starts ${container} of ${pod} beside ${twin}` }],
      });
    });
    facts.objectChanged.subscribe((_revision, key, object) => {
      if (key.startsWith('/registry/pods/')) daemons.pod(key, object);
      else if (key.startsWith('/registry/daemonsets/') && object !== undefined) daemons.set(object);
    });
    facts.containerStopped.subscribe((_node, pod, uid, _container, instance) => {
      daemons.stopped(uid);
      const ofName = running.get(pod);
      ofName?.delete(instance);
      if (ofName?.size === 0) running.delete(pod);
    });
    return { exercised: () => judged };
  },
};
