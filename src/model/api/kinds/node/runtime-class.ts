import { changed } from '../../defaults/missing.ts';
import { roundedResources } from '../../defaults/resources.ts';
import type { RuntimeClass } from '../../types.ts';
import { duplicate, type FieldErrors, invalid } from '../../validation/field-errors.ts';
import { checkImmutable, sameValue } from '../../validation/immutable.ts';
import { checkLabels } from '../../validation/labels.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isDns1123Label, nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkRequirements } from '../../validation/resources.ts';
import { checkTolerations } from '../../validation/scheduling.ts';
import { age, columns } from '../columns.ts';
import { defineKind } from '../define.ts';

/** Upstream: pkg/registry/node/runtimeclass/strategy.go, pkg/apis/node/validation. */
const rule = { namespaced: false, name: nameIsDnsSubdomain, coreFinalizers: true };

export const runtimeClass = defineKind<RuntimeClass>('node.k8s.io/v1', 'runtimeclasses', {
  hasGeneration: false,
  setDefaults: (object) =>
    object.overhead?.podFixed === undefined ? object : changed(object, 'overhead', (o) => changed(o, 'podFixed', roundedResources)),
  validate({ metadata, handler = '', overhead, scheduling }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    for (const message of isDns1123Label(handler)) out.push(invalid('handler', handler, message));
    if (overhead?.podFixed !== undefined) checkRequirements({ limits: overhead.podFixed }, 'overhead', new Set(), out);
    if (scheduling === undefined) return out;
    checkLabels(scheduling.nodeSelector, 'scheduling.nodeSelector', out);
    const tolerations = scheduling.tolerations ?? [];
    checkTolerations(tolerations, 'scheduling.tolerations', out);
    for (const [i, toleration] of tolerations.entries()) {
      if (tolerations.findIndex((t) => sameValue(t, toleration)) < i) out.push(duplicate(`scheduling.tolerations[${i}]`, toleration));
    }
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    checkImmutable(next.handler, previous.handler, 'handler', out);
    return out;
  },
  columns: columns<RuntimeClass>('runtimeclasses.node.k8s.io', [['Handler', 'string', ({ handler }) => handler], age()]),
});
