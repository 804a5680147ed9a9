import fc, { type Arbitrary } from 'fast-check';
import type { FaultParams, ParamSpec } from './fault.ts';
import type { Topology } from './topology.ts';

/** The arbitrary that a fault's parameter table describes. Undefined when a name has nothing to be drawn from. */
export function paramsArbitrary<P extends FaultParams>(
  kind: P['kind'],
  params: Readonly<Record<string, ParamSpec>>,
  topology: Topology,
): Arbitrary<P> | undefined {
  const fields: Record<string, Arbitrary<unknown>> = { kind: fc.constant(kind) };
  for (const [name, spec] of Object.entries(params)) {
    const arbitrary = paramArbitrary(spec, topology);
    if (arbitrary === undefined) return undefined;
    fields[name] = arbitrary;
  }
  return fc.record(fields, { noNullPrototype: true }) as unknown as Arbitrary<P>;
}

function paramArbitrary(spec: ParamSpec, topology: Topology): Arbitrary<unknown> | undefined {
  switch (spec.type) {
    case 'integer':
      return fc.integer({ min: spec.min, max: spec.max });
    case 'boolean':
      return fc.boolean();
    case 'name': {
      const names = spec.of(topology);
      return names.length === 0 ? undefined : fc.constantFrom(...names);
    }
    case 'names': {
      const names = spec.of(topology);
      if (names.length < spec.min) return undefined;
      return fc.subarray([...names], { minLength: spec.min, maxLength: spec.all ? names.length : Math.max(spec.min, names.length - 1) });
    }
    case 'text':
      return undefined;
  }
}
