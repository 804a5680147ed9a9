import { expect, it } from 'vitest';
import { StaticPodTurns } from './static-pod-turns.ts';

it('lets static pods of one name run one after the other, in the order in which they came', () => {
  const turns = new StaticPodTurns();
  const gone = new Set<string>();
  const may = (uid: string) => turns.mayStart('kube-system/web', uid, (other) => gone.has(other));
  for (const uid of ['1', '2', '3']) turns.wait('kube-system/web', uid);
  expect(may('2')).toBe(false);
  expect(may('1')).toBe(true);
  expect(may('1')).toBe(true);
  expect(may('2')).toBe(false);
  turns.done('kube-system/web', '1');
  gone.add('2');
  expect(may('3')).toBe(true);
  expect(turns.running('kube-system/web')).toBe('3');
});
