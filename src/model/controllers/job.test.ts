import { describe, expect, it } from 'vitest';
import { SECOND } from '../../sim/time.ts';
import type { Job, Pod } from '../api/types.ts';
import { nextBackoff, noBackoff, remainingBackoff } from './job-backoff.ts';
import { formatIndexes, parseIndexes } from './job-indexes.ts';
import { matchFailurePolicy, successPolicyMessage } from './job-policy.ts';
import { podsToRemove } from './job-pods.ts';

describe('completion indexes', () => {
  it('prints runs of three and more with a dash', () => {
    expect(formatIndexes(new Set([5, 0, 1, 3, 4]))).toBe('0,1,3-5');
    expect([...parseIndexes('0,2-4,9', 5)]).toEqual([0, 2, 3, 4]);
    expect(formatIndexes(parseIndexes('', 5))).toBe('');
  });
});

describe('job back-off', () => {
  it('doubles from ten seconds, counted from the end of the last failed pod', () => {
    const one = nextBackoff(noBackoff, [], [100 * SECOND]);
    expect(remainingBackoff(one, 104 * SECOND)).toBe(6 * SECOND);
    const three = nextBackoff(one, [], [120 * SECOND, 130 * SECOND]);
    expect(remainingBackoff(three, 130 * SECOND)).toBe(40 * SECOND);
  });

  it('forgets failures before a success', () => {
    expect(nextBackoff({ failures: 3, lastFailureWallUs: 1 }, [50], [40])).toBe(noBackoff);
    expect(nextBackoff({ failures: 3, lastFailureWallUs: 1 }, [50], [40, 60])).toEqual({ failures: 1, lastFailureWallUs: 60 });
  });
});

function job(spec: Partial<Job['spec']>): Job {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'j', namespace: 'd' },
    spec: { template: { spec: { containers: [] } }, ...spec } as Job['spec'],
  };
}

function failed(code: number): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'd' },
    spec: { containers: [] },
    status: {
      phase: 'Failed',
      containerStatuses: [{ name: 'c', image: '', imageID: '', ready: false, restartCount: 0, state: { terminated: { exitCode: code } } }],
    },
  };
}

describe('policies', () => {
  it('takes the first failure rule that speaks of the pod', () => {
    const policy = {
      rules: [
        { action: 'Ignore' as const, onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
        { action: 'FailJob' as const, onExitCodes: { operator: 'In' as const, values: [42] } },
      ],
    };
    expect(matchFailurePolicy(job({ podFailurePolicy: policy }), failed(42)).jobFailure).toBe(
      'Container c for pod d/p failed with exit code 42 matching FailJob rule at index 1',
    );
    expect(matchFailurePolicy(job({ podFailurePolicy: policy }), failed(1))).toEqual({
      jobFailure: undefined,
      counts: true,
      action: undefined,
    });
  });

  it('ends an Indexed job once enough indexes succeeded', () => {
    const spec = { completions: 5, successPolicy: { rules: [{ succeededIndexes: '0-2', succeededCount: 2 }] } };
    expect(successPolicyMessage(job(spec), new Set([0, 4]))).toBeUndefined();
    expect(successPolicyMessage(job(spec), new Set([0, 2]))).toBe('Matched rules at index 0');
  });

  it('removes duplicates of an index before others', () => {
    const pod = (name: string, index: number): Pod => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, annotations: { 'batch.kubernetes.io/job-completion-index': String(index) } },
      spec: { containers: [] },
    });
    const removed = podsToRemove(job({ completionMode: 'Indexed', completions: 2 }), [pod('a', 0), pod('b', 0), pod('c', 1)], 0, () => 0);
    expect(removed.map((p) => p.metadata.name)).toEqual(['b']);
  });
});
