import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Kind } from '../../../model/api/kind.ts';
import type { UserInfo } from '../../../model/api/request.ts';
import { admissionPlugins } from '../../../model/apiserver/admission/default-plugins.ts';
import { freshClusterObjects } from '../../../model/apiserver/fresh-cluster.ts';
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

/** 2026-01-01T00:00:00Z. */
const startUs = 1_767_225_600_000_000;

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

function authenticate(headers: Readonly<Record<string, string>>): UserInfo | undefined {
  const header = headers['authorization'];
  if (header === undefined) return { name: 'system:anonymous', groups: ['system:unauthenticated'] };
  const name = /^Bearer token-(.+)$/.exec(header)?.[1] ?? '';
  const user = groups[name];
  return user === undefined ? undefined : { name: user.name, uid: `uid-${name}`, groups: [...user.groups, 'system:authenticated'] };
}

/** Replays one file of recordings against a fresh server over memory storage. */
export async function runApiSuite(path: string): Promise<SuiteResult> {
  const suite = readSuite(path);
  const kinds = await loadKinds();
  const world = new VirtualWorld(startUs);
  const storage = new MemoryStorage();
  const makeServer = (): ReplayServer => ({ core: makeCore(suite, world, storage, kinds), authenticate });
  const first = makeServer();
  for (const { request } of freshClusterObjects()) {
    const answer = world.run(first.core.handle(request));
    if (answer.code >= 300 && answer.code !== 409) throw new Error(`bootstrap of ${request.resource} ${request.object?.metadata.name}: ${JSON.stringify(answer.object)}`);
  }
  world.advance(60_000_000);
  const results = new Replay({ suite, suitePath: path, world, storage, makeServer, kinds }).run();
  const failures = results.filter((result) => result.difference !== undefined);
  return { suite: suite.name, passed: results.length - failures.length, total: results.length, failures };
}

function makeCore(suite: Suite, world: VirtualWorld, storage: MemoryStorage, kinds: readonly Kind[]): ApiServerCore {
  const watchCache = !suite.serverFlags.some((flag) => flag.startsWith('--watch-cache=false'));
  const enable = suite.serverFlags.find((flag) => flag.startsWith('--enable-admission-plugins='))?.split('=')[1]?.split(',') ?? [];
  return new ApiServerCore({ storage, environment: world.environment, kinds, admission: admissionPlugins({ enable }), options: { watchCache } });
}

/** Every kind file that is there: the kinds are being written one by one. */
async function loadKinds(): Promise<readonly Kind[]> {
  const root = join(dirname(fileURLToPath(import.meta.url)), '../../../model/api/kinds');
  const kinds: Kind[] = [];
  for (const group of readdirSync(root).sort()) {
    if (!statSync(join(root, group)).isDirectory()) continue;
    for (const file of readdirSync(join(root, group)).sort()) {
      if (!file.endsWith('.ts') || file.endsWith('.test.ts')) continue;
      let module: Readonly<Record<string, unknown>>;
      try {
        module = (await import(pathToFileURL(join(root, group, file)).href)) as Readonly<Record<string, unknown>>;
      } catch (error) {
        process.stderr.write(`kind ${file}: ${(error as Error).message}\n`);
        continue;
      }
      for (const value of Object.values(module)) {
        const kind = value as Kind | undefined;
        if (typeof kind === 'object' && kind !== null && typeof kind.resource === 'string' && typeof kind.storagePath === 'string') kinds.push(kind);
      }
    }
  }
  return kinds;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder = '', filter = '', detail = '40'] = process.argv.slice(2);
  let passed = 0;
  let total = 0;
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.jsonl') || !new RegExp(filter).test(file)) continue;
    const result = await runApiSuite(join(folder, file));
    passed += result.passed;
    total += result.total;
    for (const failure of result.failures.slice(0, Number(detail))) process.stdout.write(`${result.suite} ${failure.step} ${failure.name}: ${failure.difference}\n`);
    process.stdout.write(`${result.suite}: ${result.passed}/${result.total}\n`);
  }
  process.stdout.write(`total: ${passed}/${total}\n`);
}
