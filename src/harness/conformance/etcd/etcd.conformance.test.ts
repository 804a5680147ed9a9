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
      const result = runEtcdRecording(file.slice(0, -'.jsonl'.length), readFileSync(join(folder ?? '', file), 'utf8'));
      const failures = result.cases.filter((line) => line.difference !== undefined);
      expect(failures.map((line) => `${line.step} ${line.name}: ${line.difference}`)).toEqual([]);
      expect(result.total).toBeGreaterThan(0);
    });
  }
});
