import type { CSINode, CSINodeDriver } from '../../types.ts';
import { duplicate, type FieldErrors, invalid, required } from '../../validation/field-errors.ts';
import { immutableMessage, sameValue } from '../../validation/immutable.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isQualifiedName, nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkNonNegative } from '../../validation/numbers.ts';
import { checkCsiDriverName } from '../../validation/volume-sources.ts';
import { age, columns } from '../columns.ts';
import { defineKind } from '../define.ts';

/** Upstream: pkg/registry/storage/csinode/strategy.go, pkg/apis/storage/validation. */
const rule = { namespaced: false, name: nameIsDnsSubdomain, coreFinalizers: true };
const nodeIdLengthMax = 256;

function checkDrivers(drivers: readonly CSINodeDriver[], out: FieldErrors): void {
  const names = new Set<string>();
  for (const [i, { name = '', nodeID = '', allocatable, topologyKeys }] of drivers.entries()) {
    const path = `spec.drivers[${i}]`;
    checkCsiDriverName(name, `${path}.name`, out);
    if (nodeID === '') out.push(required(`${path}.nodeID`));
    if (nodeID.length > nodeIdLengthMax) out.push(invalid(`${path}.nodeID`, nodeID, `must be ${nodeIdLengthMax} characters or less`));
    checkNonNegative(allocatable?.count, `${path}.allocatable.count`, out);
    const keys = topologyKeys ?? [];
    for (const [j, key] of keys.entries()) {
      if (key === '') out.push(required(`${path}.topologyKeys`));
      if (keys.indexOf(key) < j) out.push(duplicate(`${path}.topologyKeys`, key));
      for (const message of isQualifiedName(key)) out.push(invalid(`${path}.topologyKeys`, key, message));
    }
    if (names.has(name)) out.push(duplicate(`${path}.name`, name));
    names.add(name);
  }
}

function goDriver({ name, nodeID, topologyKeys, allocatable }: CSINodeDriver): unknown {
  return {
    Name: name,
    NodeID: nodeID,
    TopologyKeys: topologyKeys ?? null,
    Allocatable: allocatable === undefined ? null : { Count: allocatable.count ?? null },
  };
}

export const csiNode = defineKind<CSINode>('storage.k8s.io/v1', 'csinodes', {
  validate({ metadata, spec }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    checkDrivers(spec?.drivers ?? [], out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    // The count of volumes may change; all else of a driver is fixed while it is there.
    const fixed = ({ allocatable: _, ...rest }: CSINodeDriver): unknown => rest;
    for (const old of previous.spec?.drivers ?? []) {
      const now = (next.spec?.drivers ?? []).find((d) => d.name === old.name);
      if (now !== undefined && !sameValue(fixed(now), fixed(old))) out.push(invalid('spec.drivers', goDriver(now), immutableMessage));
    }
    checkDrivers(next.spec?.drivers ?? [], out);
    return out;
  },
  columns: columns<CSINode>('csinodes.storage.k8s.io', [['Drivers', 'integer', ({ spec }) => spec?.drivers?.length ?? 0], age()]),
});
