import type { Fault, FaultParams } from './fault.ts';
import { operationArbitrary } from './operation.ts';

export interface SetImageParams extends FaultParams {
  readonly kind: 'set-image';
  /** `namespace/name`. */
  readonly deployment: string;
  readonly image: string;
}

const params = { deployment: { type: 'text' }, image: { type: 'text' } } as const;

/** A user rolls a deployment out with another image. */
export const setImage: Fault<SetImageParams> = {
  kind: 'set-image',
  about: 'A user rolls a deployment out with another image.',
  operation: true,
  params,
  arbitrary: operationArbitrary,
  describe: (p) => `set image ${p.deployment} ${p.image}`,
  lanes: () => [],
  inject: (target, p) => {
    const errand = target.operator.setImage(p.deployment, p.image);
    return { heal: () => undefined, touched: () => errand.taken };
  },
};
