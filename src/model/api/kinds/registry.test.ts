import { describe, expect, it } from 'vitest';
import type { UntypedObject } from '../object.ts';
import { builtInKinds, kindOfKind, kindOfResource } from './registry.ts';

const context = { nowUs: 1_700_000_000_000_000, featureGate: () => true };

describe('built-in kinds', () => {
  it('are found by resource and by kind', () => {
    expect(kindOfResource('apps', 'v1', 'deployments')?.kind).toBe('Deployment');
    expect(kindOfKind('', 'v1', 'Pod')?.resource).toBe('pods');
    expect(kindOfResource('', 'v1', 'deployments')).toBeUndefined();
  });

  it('are sorted', () => {
    const keys = builtInKinds.map(({ group, version, resource }) => `${group}/${version}/${resource}`);
    expect(keys).toEqual([...keys].sort());
  });

  // Decoded objects have null for lists that Go prints even when they are not set, and little else.
  it.each(builtInKinds.map((kind) => [kind.kind, kind] as const))('%s takes an object without anything', (_, kind) => {
    const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
    const bare: UntypedObject = { kind: kind.kind, apiVersion, metadata: { name: 'a' } };
    const frozen = deepFrozen({ ...bare, spec: {} });
    for (const given of [bare, frozen]) {
      const full = kind.setDefaults?.(given, context) ?? given;
      expect(kind.setDefaults?.(full, context) ?? full).toBe(full);
      const prepared = kind.prepareForCreate?.(full, context) ?? full;
      const errors = kind.validate?.(prepared, context) ?? [];
      kind.prepareForUpdate?.(prepared, prepared, context);
      kind.validateUpdate?.(prepared, prepared, context);
      kind.validateStatusUpdate?.(prepared, prepared, context);
      kind.warnings?.(prepared, undefined, context);
      kind.fields?.(prepared);
      if (errors.length > 0) continue;
      for (const column of kind.columns ?? []) expect(column.cell(prepared, context)).not.toBeNaN();
    }
  });
});

function deepFrozen<T extends object>(value: T): T {
  for (const child of Object.values(value)) if (typeof child === 'object' && child !== null) deepFrozen(child as object);
  return Object.freeze(value);
}
