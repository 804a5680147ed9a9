import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runApiSuite } from './run-suite.ts';

const folder = join(import.meta.dirname, '../../../../../shared/goldens/api');

/** Recorded answers that we do not give, by suite and step, each with the reason. Nothing else may fail. */
const known: Readonly<Record<string, readonly number[]>> = {
  // OpenAPI documents are not served.
  '01-discovery': [51, 52, ...Array.from({ length: 22 }, (_, i) => 66 + i)],
  // 86: an age counted in years, which depends on the day of the recording; 114: one description.
  '15-tables-others': [86, 114],
  // Go's printing of whole structs.
  '24-validation-updates': [64, 177],
  // The streams to a kubelet: log, exec, proxy.
  '32-subresources': [101, 102, 103, 104, 105, 106, 114],
  // The recording holds a literal resourceVersion.
  '34-http': [13],
  // CEL policies and webhooks.
  '73-admission-policies': [6, 8, 10, 15, 16, 17, 18, 19, 27, 30],
  // 8, 9: storageVersionHash; the rest is CEL.
  '80-crds': [8, 9, 23, 38, 39, 43, 44, 49, 50, 51, 52, 61, 62, 63, 65, 66, 67],
  // 10, 11: Go's printing of whole structs; the rest is CEL.
  '81-crd-validation': [10, 11, 25, 26, 27],
};

describe.runIf(existsSync(folder))('recordings of a real API server', () => {
  for (const file of existsSync(folder) ? readdirSync(folder).sort() : []) {
    if (!file.endsWith('.jsonl')) continue;
    it(file, () => {
      const { suite, failures } = runApiSuite(join(folder, file));
      const unexpected = failures.filter(({ step }) => known[suite]?.includes(step) !== true);
      expect(unexpected).toEqual([]);
    });
  }
});
