import type { UntypedObject } from '../../../model/api/object.ts';
import { canonical } from './canonical-json.ts';
import type { Naming } from './naming.ts';
import { recordedKey } from './recorded-objects.ts';
import type { Recording, Story } from './recording.ts';
import { storyField } from './story-fields.ts';

/** What is waited for before a step: that objects are there, where they run, and what controllers counted. */
const FIELDS =
  /^(exists|phase|node|deleting|finalizers|taints|unschedulable|spec\.replicas|status\.(replicas|readyReplicas|availableReplicas|updatedReplicas|active|ready|succeeded|failed|phase|current(Healthy|NumberScheduled)|desiredHealthy|desiredReplicas|expectedPods|numberReady|updatedNumberScheduled|used|hard))$/;

/** A value that had just come when the step was taken may not have been its reason. */
const SETTLED_SECONDS = 0.5;

function valueAt(story: Story, at: number): { readonly value: unknown } | undefined {
  let found: { readonly value: unknown } | undefined;
  for (const [time, value] of story) if (time <= at - SETTLED_SECONDS) found = { value };
  return found;
}

/** Whether the run is where the recording was when it took a step at that second: a user acts on what is there, not by the clock. */
export function isReadyForStep(
  recording: Recording,
  at: number,
  objects: readonly UntypedObject[],
  naming: Naming,
  startWallUs: number,
): boolean {
  const byKey = new Map(objects.map((object) => [recordedKey(object, recording, naming), object]));
  for (const [key, fields] of Object.entries(recording.stories)) {
    const object = byKey.get(key);
    for (const [name, story] of Object.entries(fields)) {
      const field = name.replace(/^~/, '');
      if (!FIELDS.test(field)) continue;
      const wanted = valueAt(story, at);
      if (wanted === undefined) continue;
      if (field === 'exists') {
        if ((object !== undefined) !== wanted.value) return false;
      } else if (object !== undefined && canonical(storyField(object, field, naming, startWallUs)) !== canonical(wanted.value))
        return false;
    }
  }
  return true;
}
