import { equalJson } from '../../api/equal.ts';
import type { FieldError } from '../../api/field-error.ts';
import type { UntypedObject } from '../../api/object.ts';
import { podQosClass } from '../../api/pod-resources.ts';
import type { Container, EphemeralContainer, Pod } from '../../api/types.ts';
import { forbidden, type FieldErrors, invalid } from '../../api/validation/field-errors.ts';
import { checkMetadataUpdate } from '../../api/validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../api/validation/names.ts';
import type { RequestScope } from '../server-context.ts';
import type { UpdateRules } from '../update.ts';

const rule = { namespaced: true, name: nameIsDnsSubdomain };

/** Rules of pods/ephemeralcontainers: containers may be added, nothing else changes. */
export function ephemeralContainerRules(check: (pod: Pod, out: FieldErrors) => void): UpdateRules {
  return {
    bumpsGeneration: true,
    prepare: (next, previous) => {
      const wanted = (next as unknown as Pod).spec.ephemeralContainers;
      const { ephemeralContainers: _, ...rest } = (previous as unknown as Pod).spec;
      const spec = wanted === undefined ? rest : { ...rest, ephemeralContainers: wanted };
      return { ...previous, metadata: next.metadata, spec: equalJson(spec, previous['spec']) ? previous['spec'] : spec } as UntypedObject;
    },
    validate: (nextObject, previousObject) => {
      const next = nextObject as unknown as Pod;
      const previous = previousObject as unknown as Pod;
      const out: FieldErrors = [];
      checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
      check(next, out);
      const byName = new Map((next.spec.ephemeralContainers ?? []).map((c: EphemeralContainer) => [c.name, c]));
      for (const before of previous.spec.ephemeralContainers ?? []) {
        const after = byName.get(before.name);
        if (after === undefined)
          out.push(
            forbidden('spec.ephemeralContainers', `existing ephemeral containers ${JSON.stringify(before.name)} may not be removed\n`),
          );
        else if (!equalJson(after, before))
          out.push(
            forbidden('spec.ephemeralContainers', `existing ephemeral containers ${JSON.stringify(before.name)} may not be changed\n@@ `),
          );
      }
      return out;
    },
  };
}

/** Rules of pods/resize: resources of containers change in place (KEP-1287), within the pod's QoS class. */
export function resizeRules(_scope: RequestScope): UpdateRules {
  const merge = (before: readonly Container[] | undefined, after: readonly Container[] | undefined): readonly Container[] | undefined =>
    before?.map((container) => {
      const resized = after?.find((c) => c.name === container.name);
      if (
        resized === undefined ||
        (equalJson(resized.resources, container.resources) && equalJson(resized.resizePolicy, container.resizePolicy))
      )
        return container;
      const { resources: _r, resizePolicy: _p, ...rest } = container;
      return {
        ...rest,
        ...(resized.resources ? { resources: resized.resources } : {}),
        ...(resized.resizePolicy ? { resizePolicy: resized.resizePolicy } : {}),
      };
    });
  return {
    bumpsGeneration: true,
    prepare: (nextObject, previousObject) => {
      const next = nextObject as unknown as Pod;
      const previous = previousObject as unknown as Pod;
      const initContainers = merge(previous.spec.initContainers, next.spec.initContainers);
      const spec = {
        ...previous.spec,
        containers: merge(previous.spec.containers, next.spec.containers) ?? [],
        ...(initContainers === undefined ? {} : { initContainers }),
      };
      return {
        ...previousObject,
        metadata: next.metadata,
        spec: equalJson(spec, previous.spec) ? previous.spec : spec,
      } as unknown as UntypedObject;
    },
    validate: (nextObject, previousObject) => {
      const next = nextObject as unknown as Pod;
      const previous = previousObject as unknown as Pod;
      const out: FieldError[] = [];
      checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
      next.spec.containers.forEach((container, i) => {
        const before = previous.spec.containers[i]?.resources;
        for (const which of ['limits', 'requests'] as const) {
          const gone = Object.keys(before?.[which] ?? {}).some((name) => container.resources?.[which]?.[name] === undefined);
          if (gone) out.push(forbidden(`spec.containers[${i}].resources.${which}`, `resource ${which} cannot be removed`));
        }
      });
      const qos = podQosClass(next.spec);
      const qosBefore = previous.status?.qosClass ?? podQosClass(previous.spec);
      if (out.length === 0 && qos !== qosBefore)
        out.push(invalid('spec', qosBefore, 'Pod QOS Class may not change as a result of resizing'));
      return out;
    },
  };
}
