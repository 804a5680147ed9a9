import type { ConformanceKind } from '../conformance-kind.ts';
import { parseScenario, scenarioCategory, scenarioHas } from '../scenario-json.ts';
import type { Recording } from './recording.ts';
import { runControllerScenario } from './run-scenario.ts';

const fields = [
  'name',
  'category',
  'namespace',
  'flags',
  'cluster',
  'steps',
  'end',
  'results',
  'facts',
  'events',
  'outcome',
  'stories',
  'transient',
  'unstable',
];

/** A scenario of a cluster that is no scheduler's. */
function isControllerScenario(text: string): boolean {
  const category = scenarioCategory(text);
  return category !== undefined && !category.startsWith('scheduler') && scenarioHas(text, 'namespace') && scenarioHas(text, 'cluster');
}

/** A case is a scenario file. */
export const kind: ConformanceKind = {
  isOfKind: isControllerScenario,
  *run(file, isWanted) {
    if (!isWanted(file.shown)) return;
    const [difference, ...more] = runControllerScenario(parseScenario(file.text, fields) as unknown as Recording);
    yield {
      name: '',
      difference: difference === undefined ? undefined : more.length === 0 ? difference : `${difference} (and ${more.length} more)`,
    };
  },
};
