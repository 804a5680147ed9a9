import { keyValueModel } from './key-value.ts';
import type { SequentialModel } from './model.ts';
import { mutexModel } from './mutex.ts';
import { registerModel } from './register.ts';
import { revisionedModel } from './revisions.ts';

/** The models by the names that the command line and tables of verdicts use. */
const models: ReadonlyMap<string, SequentialModel<unknown>> = new Map<string, SequentialModel<unknown>>([
  ['register', registerModel],
  ['cas-register', registerModel],
  ['etcd-register', registerModel],
  ['kv', keyValueModel as SequentialModel<unknown>],
  ['mutex', mutexModel as SequentialModel<unknown>],
  ['etcd', revisionedModel as SequentialModel<unknown>],
]);

export const MODEL_NAMES: readonly string[] = [...models.keys()];

export function modelNamed(name: string): SequentialModel<unknown> | undefined {
  return models.get(name);
}
