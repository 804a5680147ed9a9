/**
 * `npm run bench`: measures what the project's goals are about and tells the distance to each. `--json` prints one line a figure;
 * `--only NAME` runs the topics and prints the figures whose name contains NAME; `--large` adds what takes minutes. Peers are not run here: see goals.ts.
 */
import { parseArgs } from 'node:util';
import { apiServerCore } from './topics/api-server-core.ts';
import { chaosTrial } from './topics/chaos-trial.ts';
import { deployments } from './topics/deployments.ts';
import { etcdPuts } from './topics/etcd-puts.ts';
import { jsonLine, judged, tableHeader, tableRow, type Topic } from './figure.ts';
import { heartbeats } from './topics/heartbeats.ts';
import { idleCluster } from './topics/idle-cluster.ts';
import { kernel } from './topics/kernel.ts';
import { linearizability } from './topics/linearizability.ts';
import { largeCluster, mediumCluster } from './topics/many-nodes.ts';
import { memory } from './topics/memory.ts';
import { raftBare } from './topics/raft-bare.ts';
import { raftExplorer } from './topics/raft-explorer.ts';
import { raftSim } from './topics/raft-sim.ts';
import { recorder } from './topics/recorder.ts';
import { seedsPerMinute } from './topics/seeds.ts';
import { startUp } from './topics/start-up.ts';

const TOPICS: readonly Topic[] = [
  kernel,
  heartbeats,
  raftBare,
  raftSim,
  raftExplorer,
  etcdPuts,
  apiServerCore,
  idleCluster,
  chaosTrial,
  seedsPerMinute,
  startUp,
  deployments,
  mediumCluster,
  largeCluster,
  linearizability,
  recorder,
  memory,
];

const HOW = 'npm run bench -- [--only TOPIC] [--large] [--json]';

/** The options; a usage line where they cannot be read. */
function options(): { readonly json?: boolean; readonly only?: string; readonly large?: boolean } {
  try {
    return parseArgs({ options: { json: { type: 'boolean' }, only: { type: 'string' }, large: { type: 'boolean' } } }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\n${HOW}\ntopics: ${TOPICS.map((topic) => topic.name).join(', ')}`);
    process.exit(64);
  }
}
const values = options();

function wanted(topic: Topic): boolean {
  if (values.only !== undefined) return topic.name.includes(values.only) || values.only.startsWith(topic.name);
  return topic.large !== true || values.large === true;
}

const chosen = TOPICS.filter(wanted);
if (chosen.length === 0) {
  console.error(`no topic ${values.only}; topics: ${TOPICS.map((topic) => topic.name).join(', ')}`);
  process.exitCode = 64;
} else if (values.json !== true) console.log(tableHeader());
for (const topic of chosen) {
  for await (const figure of topic.run())
    for (const row of judged(figure)) console.log(values.json === true ? jsonLine(row) : tableRow(row));
}
