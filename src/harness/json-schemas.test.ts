import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SCENARIO_SCHEMA } from './scenario-schema.ts';
import { TRIAL_SCHEMA } from './trial-schema.ts';

describe.each([
  ['scenario', SCENARIO_SCHEMA],
  ['trial', TRIAL_SCHEMA],
] as const)('docs/%s.schema.json', (name, schema) => {
  it('is what we check with; node tools/generate-json-schemas.ts writes it', () => {
    const file = new URL(`../../docs/${name}.schema.json`, import.meta.url);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(schema);
  });
});
