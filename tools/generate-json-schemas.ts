import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SCENARIO_SCHEMA } from '../src/harness/scenario-schema.ts';
import { TRIAL_SCHEMA } from '../src/harness/trial-schema.ts';

/** Writes the JSON schemas of scenario and trial files to docs/, where editors find them. Run: node tools/generate-json-schemas.ts */
const docs = join(dirname(fileURLToPath(import.meta.url)), '..', 'docs');
mkdirSync(docs, { recursive: true });
for (const [name, schema] of [
  ['scenario', SCENARIO_SCHEMA],
  ['trial', TRIAL_SCHEMA],
] as const) {
  writeFileSync(join(docs, `${name}.schema.json`), `${JSON.stringify(schema, null, 2)}\n`);
}
