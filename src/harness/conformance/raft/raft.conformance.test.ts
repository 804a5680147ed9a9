import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sharedPath } from '../../../../test/shared.ts';
import { runRaftScript } from './run-raft-script.ts';

const root = sharedPath('conformance/raft');

describe.skipIf(root === undefined)('conformance scripts of the raft library (../shared/conformance/raft)', () => {
  for (const folder of ['quorum', 'confchange', 'interaction', 'extra']) {
    const files = root === undefined ? [] : readdirSync(join(root, folder)).sort();
    describe(folder, () => {
      for (const file of files) {
        test(file, () => {
          const result = runRaftScript(readFileSync(join(root ?? '', folder, file), 'utf8'));
          expect(result.firstDifference).toBeUndefined();
        });
      }
    });
  }
});

describe('the runner itself', () => {
  const script = 'add-nodes 1 voters=(1) index=3\n----\n';

  test('reports the first differing output', () => {
    const result = runRaftScript(`log-level none\n----\nok\n\n${script}wrong\n`);
    expect(result.passed).toBe(false);
    expect(result.firstDifference).toBe('line 5: add-nodes\n- wrong\n- \n+ ok\n+ ');
  });

  test('passes when every output is equal', () => {
    expect(runRaftScript(`log-level none\n----\nok\n\n${script}ok\n`)).toEqual({ passed: true });
  });

  test('says which command is unknown', () => {
    expect(runRaftScript('frobnicate 1\n----\nunknown command\n')).toEqual({ passed: true });
  });
});
