import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sharedPath } from '../../../../test/shared.ts';
import { runEtcdRecording } from './run-etcd-recording.ts';

const folder = sharedPath('goldens/etcd');

describe.skipIf(folder === undefined)('recordings of a real etcd (skipped without ../shared/goldens/etcd)', () => {
  const files = folder === undefined ? [] : readdirSync(folder).filter((file) => file.endsWith('.jsonl'));
  for (const file of files) {
    it(`${file} is answered line by line as recorded`, () => {
      const result = runEtcdRecording(readFileSync(join(folder ?? '', file), 'utf8'));
      const failures = result.cases.filter((line) => line.difference !== undefined);
      expect(failures.map((line) => `${line.step} ${line.name}: ${line.difference}`)).toEqual([]);
      expect(result.total).toBeGreaterThan(0);
    });
  }
});

describe.skipIf(folder === undefined)('damaged recordings fail', () => {
  const text = folder === undefined ? '' : readFileSync(join(folder, 'kv-basic.jsonl'), 'utf8');
  const failures = (damaged: string) => runEtcdRecording(damaged).cases.filter((line) => line.difference !== undefined).length;

  it('with another value, another order, or a line that is missing', () => {
    const lines = text.trimEnd().split('\n');
    expect(failures(text)).toBe(0);
    expect(failures(text.replace('"mod_revision":"3"', '"mod_revision":"4"'))).toBe(1);
    expect(failures([...lines.slice(0, 3), lines[5], lines[4], lines[3], ...lines.slice(6)].join('\n'))).toBeGreaterThan(0);
    expect(failures([...lines.slice(0, 1), ...lines.slice(2)].join('\n'))).toBeGreaterThan(0);
    expect(() => failures(text.slice(0, -5))).toThrow(/line \d+ is not JSON/);
  });
});
