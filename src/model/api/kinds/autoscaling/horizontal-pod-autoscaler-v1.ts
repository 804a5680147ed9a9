import { withMissing } from '../../defaults/missing.ts';
import type { DeepReadonly } from '../../object.ts';
import type { HorizontalPodAutoscalerV1 } from '../../types.ts';
import type { FieldErrors } from '../../validation/field-errors.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { defineKind } from '../define.ts';
import { keepStatus, statusUpdate } from '../strategy.ts';
import { checkScalerStatus, scalerColumns, scalerRule } from './horizontal-pod-autoscaler.ts';
import { scalerToV2 } from './scaler-conversion.ts';
import { checkScalerSpec } from './scaler-validation.ts';

/** autoscaling/v1 of the same objects: one CPU target, the rest in annotations. */
type Spec = NonNullable<HorizontalPodAutoscalerV1['spec']>;

/** The objects are stored as v2, whose default for an object without metrics is a CPU target; nobody's field, so not with the other defaults. */
function withTarget(object: DeepReadonly<HorizontalPodAutoscalerV1>): DeepReadonly<HorizontalPodAutoscalerV1> {
  const { spec } = object;
  if (spec === undefined || (scalerToV2(object).spec?.metrics ?? []).length > 0) return object;
  return { ...object, spec: { ...spec, targetCPUUtilizationPercentage: 80 } };
}

export const horizontalPodAutoscalerV1 = defineKind<HorizontalPodAutoscalerV1>('autoscaling/v1', 'horizontalpodautoscalers', {
  setDefaults: (object) => {
    const spec = withMissing(object.spec ?? ({} as Spec), { minReplicas: 1 });
    return spec === object.spec ? object : { ...object, spec };
  },
  prepareForCreate: (object) => ({ ...withTarget(object), status: { currentReplicas: 0, desiredReplicas: 0 } }),
  prepareForUpdate: (next, previous) => keepStatus(withTarget(next), previous),
  prepareForStatusUpdate: statusUpdate,
  validate(object) {
    const out: FieldErrors = [];
    checkMetadata(object.metadata, scalerRule, out);
    const { spec } = scalerToV2(object);
    if (spec !== undefined) checkScalerSpec(spec, out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, scalerRule, out);
    const { spec } = scalerToV2(next);
    if (spec !== undefined && next.spec !== previous.spec) checkScalerSpec(spec, out);
    return out;
  },
  validateStatusUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, scalerRule, out);
    checkScalerStatus(scalerToV2(next), out);
    return out;
  },
  columns: scalerColumns<HorizontalPodAutoscalerV1>(scalerToV2),
});
