import { SECOND, formatSeconds } from '../sim/time.ts';
import { CronWork } from './cron-work.ts';
import type { Property } from './property.ts';

/** Keys that change for ever by design: heartbeats and events. */
const HEARTBEATS = [
  '/registry/leases/',
  '/registry/events/',
  '/registry/minions/',
  '/registry/masterleases/',
  '/registry/configmaps/kube-system/extension',
  'compact_rev_key',
];

const QUIET_US = 60 * SECOND;

/** Once the desired state is reached, the controllers stop writing. */
export const quiescence: Property = {
  id: 'quiescence',
  about: 'After reconciliation the cluster is quiet: nothing but lease renewals, node heartbeats and events is written.',
  clauses: [{ id: 'no-writes-when-done', must: 'In the last minute of the trial no other object changes.' }],
  needsKubernetes: true,
  start({ facts, clock, violate }) {
    const recent: { readonly atUs: number; readonly key: string; readonly revision: number }[] = [];
    const cron = new CronWork();
    let ends = 0;
    facts.objectChanged.subscribe((revision, key, object) => {
      if (HEARTBEATS.some((prefix) => key.startsWith(prefix))) return;
      if (cron.isPart(key, object)) return;
      recent.push({ atUs: clock.now, key, revision });
      if (recent.length > 400) recent.splice(0, 200);
    });
    return {
      exercised: () => ends,
      finish: (end) => {
        if (end.healedAtUs === undefined || end.atUs - end.healedAtUs < QUIET_US) return;
        ends++;
        const late = recent.filter((change) => change.atUs > end.atUs - QUIET_US);
        if (late.length === 0) return;
        const last = late.at(-1) as { readonly atUs: number; readonly key: string; readonly revision: number };
        violate({
          clause: 'no-writes-when-done',
          atUs: last.atUs,
          sentence: `${last.key} still changes ${formatSeconds(last.atUs - end.healedAtUs)} after all faults were healed.`,
          expected: 'no change in the last minute',
          actual: `${late.length} changes`,
          subjects: [last.key],
          facts: late
            .slice(-6)
            .map((change) => ({ atUs: change.atUs, subject: change.key, text: `changes at revision ${change.revision}` })),
        });
      },
    };
  },
};
