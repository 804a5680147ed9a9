import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Kind } from '../../../model/api/kind.ts';
import { builtInKinds } from '../../../model/api/kinds/registry.ts';
import { admissionPlugins } from '../../../model/apiserver/admission/default-plugins.ts';
import { TokenAuthenticator } from '../../../model/apiserver/auth/authentication.ts';
import { nodeAuthorizer } from '../../../model/apiserver/auth/node-authorizer.ts';
import { rbacAuthorizer, unionAuthorizer } from '../../../model/apiserver/auth/rbac.ts';
import { writeFreshCluster } from '../../../model/apiserver/fresh-cluster.ts';
import { ApiServerCore } from '../../../model/apiserver/core.ts';
import { MemoryStorage } from '../../../model/apiserver/memory-storage.ts';
import { type CaseResult, Replay, type ReplayServer } from './replay.ts';
import { readSuite, type Suite } from './suite.ts';
import { VirtualWorld } from './virtual-world.ts';

/** What one suite came to. */
export interface SuiteResult {
  readonly suite: string;
  readonly passed: number;
  readonly total: number;
  readonly failures: readonly CaseResult[];
}

/** 2026-11-23T12:00:00Z, the day of the recordings: it shows in the age of a job that began in 2024. */
const startUs = 1_795_435_200_000_000;

const groups: Readonly<Record<string, { readonly name: string; readonly groups: readonly string[] }>> = {
  admin: { name: 'admin', groups: ['system:masters'] },
  alice: { name: 'alice', groups: ['team-a'] },
  bob: { name: 'bob', groups: [] },
  dev: { name: 'dev', groups: ['developers'] },
  scheduler: { name: 'system:kube-scheduler', groups: [] },
  kcm: { name: 'system:kube-controller-manager', groups: [] },
  'node-1': { name: 'system:node:node-1', groups: ['system:nodes'] },
  'node-2': { name: 'system:node:node-2', groups: ['system:nodes'] },
  'rogue-node': { name: 'kubelet', groups: ['system:nodes'] },
};

/** The token file of the recordings. */
const staticTokens = new Map(
  Object.entries(groups).map(([key, user]) => [
    `token-${key}`,
    { name: user.name, uid: `uid-${key}`, groups: [...user.groups, 'system:authenticated'] },
  ]),
);

/** Replays one file of recordings against a fresh server over memory storage. */
export function runApiSuite(path: string): SuiteResult {
  const suite = readSuite(path);
  const results = runSuite(suite, path);
  const failures = results.filter((result) => result.difference !== undefined);
  return { suite: suite.name, passed: results.length - failures.length, total: results.length, failures };
}

/** The same for a suite that was read already: how every exchange went. `path` is its file, beside which response files lie. */
export function runSuite(suite: Suite, path: string): readonly CaseResult[] {
  const kinds = builtInKinds;
  const world = new VirtualWorld(startUs);
  const storage = new MemoryStorage();
  const makeServer = (): ReplayServer => {
    const core = makeCore(suite, world, storage, kinds);
    core.startCaches();
    return { core };
  };
  const first = makeServer();
  world.run(writeFreshCluster(first.core, { securePort: 16443 }));
  world.advance(60_000_000);
  return new Replay({ suite, suitePath: path, world, storage, first, makeServer, kinds }).run();
}

function makeCore(suite: Suite, world: VirtualWorld, storage: MemoryStorage, kinds: readonly Kind[]): ApiServerCore {
  const watchCache = !suite.serverFlags.some((flag) => flag.startsWith('--watch-cache=false'));
  const enable =
    suite.serverFlags
      .find((flag) => flag.startsWith('--enable-admission-plugins='))
      ?.split('=')[1]
      ?.split(',') ?? [];
  return new ApiServerCore({
    storage,
    environment: world.environment,
    kinds,
    admission: admissionPlugins({ enable }),
    authorizer: unionAuthorizer([nodeAuthorizer, rbacAuthorizer]),
    authenticator: new TokenAuthenticator(staticTokens),
    options: { watchCache },
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder = '', filter = '', detail = '40'] = process.argv.slice(2);
  let passed = 0;
  let total = 0;
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.jsonl') || !new RegExp(filter).test(file)) continue;
    const result = runApiSuite(join(folder, file));
    passed += result.passed;
    total += result.total;
    for (const failure of result.failures.slice(0, Number(detail)))
      process.stdout.write(`${result.suite} ${failure.step} ${failure.name}: ${failure.difference}\n`);
    process.stdout.write(`${result.suite}: ${result.passed}/${result.total}\n`);
  }
  process.stdout.write(`total: ${passed}/${total}\n`);
}
