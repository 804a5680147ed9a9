import { describe, expect, it } from 'vitest';
import { withoutScale } from './disruption.ts';

describe('the pods that a budget expects', () => {
  it('cannot be told from owners without a scale subresource, and the budget says so', () => {
    expect(withoutScale({ apiVersion: 'batch/v1', kind: 'Job' })).toBe('jobs.batch does not implement the scale subresource');
    expect(withoutScale({ apiVersion: 'apps/v1', kind: 'DaemonSet' })).toBe('daemonsets.apps does not implement the scale subresource');
    expect(withoutScale({ apiVersion: 'v1', kind: 'Node' })).toBe('nodes does not implement the scale subresource');
  });

  it('can be told from the others', () => {
    expect(withoutScale({ apiVersion: 'apps/v1', kind: 'ReplicaSet' })).toBeUndefined();
    expect(withoutScale({ apiVersion: 'v1', kind: 'ReplicationController' })).toBeUndefined();
    expect(withoutScale({ apiVersion: 'example.com/v1', kind: 'Gadget' })).toBeUndefined();
  });
});
