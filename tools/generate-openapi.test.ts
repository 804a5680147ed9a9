import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { sharedPath } from '../test/shared.ts';
import { generateOpenApi, openApiFile, withoutProse } from './generate-openapi.ts';

const folder = sharedPath('goldens/api');

describe.skipIf(folder === undefined)('generated OpenAPI documents', () => {
  it('are what the recordings say', () => {
    const { brotliBase64 } = JSON.parse(readFileSync(openApiFile, 'utf8')) as { readonly brotliBase64: string };
    const kept = brotliDecompressSync(Buffer.from(brotliBase64, 'base64')).toString('utf8');
    expect(kept === generateOpenApi(folder ?? '')).toBe(true);
  });
});

describe('withoutProse', () => {
  it('keeps a property that is called description', () => {
    const schema = { description: 'prose', properties: { description: { type: 'string', description: 'prose' } } };
    expect(withoutProse(schema)).toEqual({ properties: { description: { type: 'string' } } });
  });
});
