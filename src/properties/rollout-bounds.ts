import { controllerUid, field, intOrPercent, keyOf, list, number, text } from './fields.ts';
import type { Property } from './property.ts';

interface Bounds {
  readonly generation: number;
  readonly wanted: number;
  readonly low: number;
  readonly high: number;
}

interface Rollout {
  readonly name: string;
  /** Bounds of all generations that the controller may still act on, oldest first. */
  bounds: Bounds[];
  readonly replicas: Map<string, number>;
  /**
   * Fewer pods were asked for in the middle of a rollout. The controller then counts as available what the statuses of its sets still show of
   * pods that are being taken away, and takes away more (upstream scaleDownOldReplicaSetsForRollingUpdate): below the bound, and as designed.
   */
  shrinks: boolean;
  sum: number;
  readonly points: { readonly atUs: number; readonly value: number }[];
}

const POINTS_MAX = 200;
/**
 * A manager that was stopped for longer than its lease believes for up to its renew deadline (10 s) that it leads, and acts on what it knew
 * before (client-go's leaderelection promises no more): what two managers do at once is no rollout of either.
 */
const HANDOVER_US = 15_000_000;
/** Upstream --horizontal-pod-autoscaler-downscale-stabilization. */
const STABILIZATION_US = 300_000_000;
/** Upstream's tolerance. Below it 1.35 too may ask for more: it scales the number of pods that report, those of a surge among them. */
const MET = 0.9;

/**
 * During a rolling update the replica sets of a Deployment ask for at most replicas + maxSurge and at least replicas − maxUnavailable pods.
 * The bounds hold for the replica sets' spec, not for pods at every instant (recorded from a real controller manager).
 */
export const rolloutBounds: Property = {
  id: 'rollout-bounds',
  about: 'A rolling update stays between replicas − maxUnavailable and replicas + maxSurge.',
  clauses: [
    { id: 'surge', must: 'The replica sets of a Deployment never ask for more than replicas + maxSurge pods.' },
    { id: 'autoscaled', must: 'An autoscaler does not ask for more pods where what they use is what it aims at.' },
    { id: 'unavailable', must: 'They never ask for fewer than replicas − maxUnavailable pods.' },
  ],
  needsKubernetes: true,
  start({ facts, clock, violate }) {
    const rollouts = new Map<string, Rollout>();
    const sets = new Map<string, { readonly owner: string; readonly uid: string }>();
    const recommended = new Map<string, readonly { readonly atUs: number; readonly desired: number }[]>();
    let judged = 0;
    /** Managers that have not said that they stopped; whoever died among them says nothing. */
    const managers = new Set<string>();
    const pauses = new Set<string>();
    let handoverAtUs = Number.NEGATIVE_INFINITY;
    const handover = (): boolean => managers.size > 1 && (pauses.size > 0 || clock.now - handoverAtUs <= HANDOVER_US);
    facts.leading.subscribe((lease, identity, holds) => {
      if (lease !== 'kube-controller-manager') return;
      if (!holds) managers.delete(identity);
      else {
        managers.add(identity);
        handoverAtUs = clock.now;
      }
    });
    facts.faultInjected.subscribe((fault, kind) => {
      if (kind.startsWith('pause-')) pauses.add(fault);
    });
    facts.faultHealed.subscribe((fault) => {
      if (pauses.delete(fault)) handoverAtUs = clock.now;
    });

    const judge = (rollout: Rollout, why: string): void => {
      if (rollout.points.length < POINTS_MAX) rollout.points.push({ atUs: clock.now, value: rollout.sum });
      if (rollout.bounds.length === 0 || handover()) return;
      judged++;
      const high = Math.max(...rollout.bounds.map((b) => b.high));
      const low = Math.min(...rollout.bounds.map((b) => b.low));
      const clause =
        rollout.sum > high ? 'surge' : rollout.sum < low && why === 'scaled down' && !rollout.shrinks ? 'unavailable' : undefined;
      if (clause === undefined) return;
      const bound = clause === 'surge' ? `at most ${high}` : `at least ${low}`;
      violate({
        clause,
        atUs: clock.now,
        sentence: `The replica sets of ${rollout.name} ask for ${rollout.sum} pods, where the rollout allows ${bound}.`,
        expected: `${bound} pods`,
        actual: `${rollout.sum} pods`,
        subjects: [rollout.name],
        facts: [{ atUs: clock.now, subject: rollout.name, text: `is at ${rollout.sum} replicas` }],
        figure: { kind: 'line', label: `replicas asked for by ${rollout.name}`, points: rollout.points, low, high },
      });
    };

    const onDeployment = (object: object): void => {
      const uid = text(object, 'metadata', 'uid');
      let rollout = rollouts.get(uid);
      if (rollout === undefined) {
        rollout = { name: keyOf(object), bounds: [], replicas: new Map(), shrinks: false, sum: 0, points: [] };
        rollouts.set(uid, rollout);
      }
      const generation = number(object, 1, 'metadata', 'generation');
      const observed = number(object, 0, 'status', 'observedGeneration');
      const last = rollout.bounds.at(-1);
      if (last === undefined || last.generation !== generation) {
        const bounds = boundsOf(object, last);
        if (last !== undefined && bounds.wanted < last.wanted && inMiddle(rollout)) rollout.shrinks = true;
        rollout.bounds.push({ generation, ...bounds });
      }
      if (!inMiddle(rollout)) rollout.shrinks = false;
      // Once the controller has acted on the newest generation and the count is inside its bounds, the older ones are over.
      const newest = rollout.bounds.at(-1);
      if (newest !== undefined && observed >= newest.generation && rollout.sum <= newest.high && rollout.sum >= newest.low) {
        rollout.bounds = [newest];
      }
    };

    const onReplicaSet = (key: string, object: object | undefined): void => {
      const known = sets.get(key);
      if (object === undefined) {
        if (known === undefined) return;
        sets.delete(key);
        const rollout = rollouts.get(known.owner);
        if (rollout !== undefined) {
          rollout.sum -= rollout.replicas.get(known.uid) ?? 0;
          rollout.replicas.delete(known.uid);
        }
        return;
      }
      const owner = controllerUid(object);
      const uid = text(object, 'metadata', 'uid');
      sets.set(key, { owner, uid });
      const rollout = rollouts.get(owner);
      if (rollout === undefined || text(object, 'metadata', 'deletionTimestamp') !== '') return;
      const before = rollout.replicas.get(uid) ?? 0;
      const now = number(object, 0, 'spec', 'replicas');
      if (before === now) return;
      rollout.replicas.set(uid, now);
      rollout.sum += now - before;
      judge(rollout, now < before ? 'scaled down' : 'scaled up');
    };

    const onAutoscaler = (object: object): void => {
      const current = number(object, 0, 'status', 'currentReplicas');
      const desired = number(object, 0, 'status', 'desiredReplicas');
      const used = utilizationOf(list(object, 'status', 'currentMetrics'));
      const wanted = utilizationOf(list(object, 'spec', 'metrics'));
      if (used === undefined || wanted === undefined) return;
      judged++;
      // What was wanted within the stabilization window is wanted again when somebody else took it away.
      const uid = text(object, 'metadata', 'uid');
      const before = (recommended.get(uid) ?? []).filter(({ atUs }) => clock.now - atUs <= STABILIZATION_US);
      const highest = Math.max(0, ...before.map((one) => one.desired));
      recommended.set(uid, [...before.filter((one) => one.desired > desired), { atUs: clock.now, desired }]);
      if (desired <= highest) return;
      if (desired <= current || current < number(object, 1, 'spec', 'minReplicas') || used > wanted || used < wanted * MET) return;
      const target = `${text(object, 'metadata', 'namespace')}/${text(object, 'spec', 'scaleTargetRef', 'name')}`;
      violate({
        clause: 'autoscaled',
        atUs: clock.now,
        sentence: `The autoscaler ${keyOf(object)} raises ${target} from ${current} to ${desired} pods although they use ${used} % where ${wanted} % is its target.`,
        expected: `${current} pods`,
        actual: `${desired} pods`,
        subjects: [target, keyOf(object)],
        facts: [{ atUs: clock.now, subject: target, text: `is to have ${desired} pods instead of ${current}` }],
      });
    };

    facts.objectChanged.subscribe((_revision, key, object) => {
      if (key.startsWith('/registry/horizontalpodautoscalers/') && object !== undefined) onAutoscaler(object);
      if (key.startsWith('/registry/deployments/')) {
        if (object !== undefined) onDeployment(object);
      } else if (key.startsWith('/registry/replicasets/')) onReplicaSet(key, object);
    });
    return { exercised: () => judged };
  },
};

/** More than one replica set asks for pods. */
function inMiddle({ replicas }: Rollout): boolean {
  let asking = 0;
  for (const count of replicas.values()) if (count > 0) asking++;
  return asking > 1;
}

/** The utilization that the one resource metric of an autoscaler has, or is to have; undefined where there are others. */
function utilizationOf(metrics: readonly unknown[]): number | undefined {
  if (metrics.length !== 1) return undefined;
  const value =
    field(metrics[0], 'resource', 'current', 'averageUtilization') ?? field(metrics[0], 'resource', 'target', 'averageUtilization');
  return typeof value === 'number' ? value : undefined;
}

function boundsOf(deployment: object, previous: Bounds | undefined): Omit<Bounds, 'generation'> {
  const replicas = number(deployment, 1, 'spec', 'replicas');
  if (text(deployment, 'spec', 'strategy', 'type') === 'Recreate' || text(deployment, 'metadata', 'deletionTimestamp') !== '') {
    return { wanted: replicas, low: 0, high: Math.max(replicas, previous?.high ?? 0) };
  }
  const rolling = field(deployment, 'spec', 'strategy', 'rollingUpdate');
  const surge = intOrPercent(field(rolling, 'maxSurge'), replicas, true);
  const unavailable = intOrPercent(field(rolling, 'maxUnavailable'), replicas, false);
  // Both zero is taken as maxUnavailable 1 (upstream ResolveFenceposts).
  const low = replicas - (surge === 0 && unavailable === 0 ? 1 : unavailable);
  // A Deployment that has no replica set yet starts at 0.
  return { wanted: replicas, low: previous === undefined ? 0 : Math.max(0, low), high: replicas + surge };
}
