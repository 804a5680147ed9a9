import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sharedPath } from '../test/shared.ts';
import { generate, generatedFolder } from './generate-schema.ts';

const folder = sharedPath('goldens/api/openapi');

describe.skipIf(folder === undefined)('generated schema', () => {
  it('is what the recorded OpenAPI documents say', () => {
    const { types, schema } = generate(folder ?? '');
    expect(types).toBe(readFileSync(join(generatedFolder, 'types.ts'), 'utf8'));
    expect(schema).toBe(readFileSync(join(generatedFolder, 'schema.json'), 'utf8'));
  });
});
