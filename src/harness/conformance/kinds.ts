import type { ConformanceKind } from './conformance-kind.ts';

/** The kinds of recordings. Each loads what it drives, so it is loaded when it is asked for. */
const kinds = {
  raft: () => import('./raft/cases.ts'),
  etcd: () => import('./etcd/cases.ts'),
  linearizability: () => import('./linearizability/cases.ts'),
  api: () => import('./api/cases.ts'),
  manifests: () => import('./manifests/cases.ts'),
  controllers: () => import('./controllers/cases.ts'),
  scheduler: () => import('./scheduler/cases.ts'),
  kubelet: () => import('./kubelet/cases.ts'),
} satisfies Readonly<Record<string, () => Promise<{ readonly kind: ConformanceKind }>>>;

export type KindName = keyof typeof kinds;

export const KIND_NAMES = Object.keys(kinds) as readonly KindName[];

export function isKindName(name: string): name is KindName {
  return Object.hasOwn(kinds, name);
}

export async function loadKind(name: KindName): Promise<ConformanceKind> {
  return (await kinds[name]()).kind;
}
