import type { ConformanceKind } from '../conformance-kind.ts';
import type { Recording } from '../controllers/recording.ts';
import { runControllerScenario } from '../controllers/run-scenario.ts';
import { parseScenario, scenarioCategory } from '../scenario-json.ts';
import { type RandomInstance, runRandomInstance } from './random-instance.ts';

const random = 'scheduler-random';
const instanceFields = ['name', 'nodes', 'services', 'pods', 'decisions'];
const scenarioFields = ['name', 'namespace', 'flags', 'cluster', 'steps', 'end', 'results', 'facts', 'events', 'outcome', 'stories'];

function differencesOf(text: string): readonly string[] {
  if (scenarioCategory(text) !== random) return runControllerScenario(parseScenario(text, scenarioFields) as unknown as Recording);
  const instance = parseScenario(text, instanceFields) as unknown as RandomInstance;
  const { pods, decisions } = instance;
  if (decisions.length !== pods.length) return [`${pods.length} pods, but ${decisions.length} decisions`];
  const at = decisions.findIndex(({ pod }, i) => pod !== pods[i]?.name);
  if (at >= 0) return [`decision ${at + 1} is about ${decisions[at]?.pod}, pod ${at + 1} is ${pods[at]?.name}: out of order`];
  return runRandomInstance(instance);
}

/** A case is a scenario file, or a seeded random instance. */
export const kind: ConformanceKind = {
  isOfKind: (text) => scenarioCategory(text)?.startsWith('scheduler') === true,
  *run(file, isWanted) {
    if (!isWanted(file.shown)) return;
    const [difference, ...more] = differencesOf(file.text);
    yield {
      name: '',
      difference: difference === undefined ? undefined : more.length === 0 ? difference : `${difference} (and ${more.length} more)`,
    };
  },
};
