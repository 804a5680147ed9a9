import type { Pod } from '../../../model/api/types.ts';
import type { Decision } from '../../../model/scheduler/schedule-pod.ts';
import type { Naming } from './naming.ts';
import type { RecordedPlacement, Recording } from './recording.ts';

/** One scheduling attempt as it happened. */
export interface Placement {
  readonly pod: Pod;
  readonly decision: Decision;
  readonly atUs: number;
}

function sorted(object: { readonly [key: string]: number }): string {
  return JSON.stringify(
    Object.keys(object)
      .sort()
      .map((key) => [key, object[key]]),
  );
}

function compareChosen(expected: RecordedPlacement, decision: Extract<Decision, { kind: 'chosen' }>, where: string): readonly string[] {
  const differences: string[] = [];
  if (expected.node === undefined) return [`${where}: expected no node, actual ${decision.node}`];
  if (expected.evaluated !== undefined && expected.evaluated !== decision.evaluated)
    differences.push(`${where}: evaluated: expected ${expected.evaluated}, actual ${decision.evaluated}`);
  if (expected.feasible !== undefined && expected.feasible !== decision.feasible.length)
    differences.push(`${where}: feasible: expected ${expected.feasible}, actual ${decision.feasible.length}`);
  if (expected.node !== decision.node) differences.push(`${where}: node: expected ${expected.node}, actual ${decision.node}`);
  if (expected.scores === undefined) return differences;
  for (const [i, node] of decision.feasible.entries()) {
    const actual: { [plugin: string]: number } = {};
    for (const { plugin, scores } of decision.scores) actual[plugin] = scores[i] as number;
    const { DynamicResources: _, ...recorded } = expected.scores[node.name] ?? {};
    if (sorted(recorded) !== sorted(actual))
      differences.push(`${where}: scores of ${node.name}: expected ${sorted(recorded)}, actual ${sorted(actual)}`);
  }
  return differences;
}

function endedEarly(decision: Decision): boolean {
  return decision.kind === 'unschedulable' && decision.diagnosis.preFilterMessage !== '';
}

/** Compares the attempts pod by pod, in their order, scores of every plugin included. */
export function comparePlacements(recording: Recording, placements: readonly Placement[], naming: Naming): readonly string[] {
  const recorded = recording.facts.decisions;
  if (recorded === undefined) return [];
  const byPod = (name: string): readonly Decision[] =>
    placements.filter((placement) => naming.keyOf(placement.pod) === `Pod/${name}`).map((placement) => placement.decision);
  const differences: string[] = [];
  for (const name of [...new Set(recorded.map((placement) => placement.pod))]) {
    const expected = recorded.filter((placement) => placement.pod === name);
    // Where no failed attempt of a pod was recorded, those that ended before any node was looked at left no log line.
    const actual = byPod(name).filter((decision) => expected.some((placement) => placement.node === undefined) || !endedEarly(decision));
    if (expected.length !== actual.length) {
      differences.push(
        `decisions of ${name}: expected ${expected.map((e) => e.node ?? 'none')}, actual ${actual.map((a) => (a.kind === 'chosen' ? a.node : 'none'))}`,
      );
      continue;
    }
    for (const [i, decision] of actual.entries()) {
      const where = `decision ${i + 1} of ${name}`;
      const wanted = expected[i] as RecordedPlacement;
      if (decision.kind === 'chosen') differences.push(...compareChosen(wanted, decision, where));
      else if (wanted.node !== undefined) differences.push(`${where}: expected ${wanted.node}, actual none`);
    }
  }
  return differences;
}
