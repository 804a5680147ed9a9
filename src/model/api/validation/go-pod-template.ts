import type { PodTemplateSpec } from '../types.ts';
import { goMap } from './field-errors.ts';

/** The internal pod template as encoding/json prints it, which an immutable template's error quotes. */
export function goPodTemplate(template: PodTemplateSpec | undefined): unknown {
  const { labels, annotations } = template?.metadata ?? {};
  return { ...(labels === undefined ? {} : { labels: goMap(labels) }), ...(annotations === undefined ? {} : { annotations: goMap(annotations) }), Spec: template?.spec ?? {} };
}
