import type { ConformanceKind } from '../conformance-kind.ts';
import { parseScenario, scenarioCategory, scenarioHas } from '../scenario-json.ts';
import type { Recording } from './recording.ts';
import { runKubeletRecording } from './run-kubelet-recording.ts';

/** A scenario of one node: it names no cluster. */
function isKubeletScenario(text: string): boolean {
  const category = scenarioCategory(text);
  return (
    category !== undefined &&
    !category.startsWith('scheduler') &&
    !(scenarioHas(text, 'namespace') && scenarioHas(text, 'cluster')) &&
    scenarioHas(text, 'steps')
  );
}

/** A case is a scenario file. */
export const kind: ConformanceKind = {
  isOfKind: isKubeletScenario,
  *run(file, isWanted) {
    if (!isWanted(file.shown)) return;
    const { problems } = runKubeletRecording(parseScenario(file.text, ['name', 'category', 'steps']) as unknown as Recording);
    const [difference, ...more] = problems;
    yield {
      name: '',
      difference: difference === undefined ? undefined : more.length === 0 ? difference : `${difference} (and ${more.length} more)`,
    };
  },
};
