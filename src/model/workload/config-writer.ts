import type { Endpoint } from '../../sim/network.ts';
import type { Process } from '../../sim/process.ts';
import type { Program } from '../../sim/host.ts';
import { MILLISECOND, SECOND } from '../../sim/time.ts';
import type { Task } from '../../sim/task.ts';
import { CONFIG_MAPS } from '../client/resources.ts';
import { isNotFound } from '../client/result.ts';
import { ApiTransport } from '../client/transport.ts';
import { Client } from '../client/typed-client.ts';
import { AUTOMATION } from './automation-user.ts';

/** A program outside the cluster that keeps writing objects through one API server: a pipeline, an operator. */
export interface ConfigWriterOptions {
  /** Number of the writer, from 0: names it and picks its API server. */
  readonly index: number;
  readonly servers: readonly Endpoint[];
  readonly namespace: string;
  readonly perSecond: number;
  /** Asked before each write: false ends the writer. */
  readonly running: () => boolean;
}

/** So many of its objects it leaves; older ones it deletes. */
const KEPT = 5;
const TIMEOUT_US = 5 * SECOND;
const AFTER_FAILURE_US = 500 * MILLISECOND;

/** Creates ConfigMaps one after the other, and deletes the older ones. What is refused or lost it leaves and goes on. */
export function configWriter(options: ConfigWriterOptions): Program {
  const name = `config-writer-${options.index}`;
  return { name, start: (process) => process.spawn(name, writes(process, name, options)) };
}

function* writes(process: Process, name: string, options: ConfigWriterOptions): Task<void> {
  const { servers, index, namespace, perSecond, running } = options;
  const preferred = index % Math.max(1, servers.length);
  const client = new Client(new ApiTransport(process, { servers, preferred, user: AUTOMATION, userAgent: 'pipeline' }));
  const configMaps = client.resource(CONFIG_MAPS);
  const meanUs = Math.round(SECOND / perSecond);
  yield* process.sleep(process.random.below(meanUs));
  for (let n = 1; running(); n++) {
    const created = yield* configMaps.create(
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: `${name}-${n}` }, data: { n: String(n) } },
      { timeoutUs: TIMEOUT_US },
    );
    if (created.ok && n > KEPT) {
      const deleted = yield* configMaps.delete(namespace, `${name}-${n - KEPT}`, { timeoutUs: TIMEOUT_US });
      if (!deleted.ok && !isNotFound(deleted)) yield* process.sleep(AFTER_FAILURE_US);
    }
    yield* process.sleep(created.ok ? Math.floor(meanUs / 2) + process.random.below(meanUs) : AFTER_FAILURE_US);
  }
}
