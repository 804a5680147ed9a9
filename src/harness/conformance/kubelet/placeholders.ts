import { digestOf } from '../../../model/kubelet/runtime/registry.ts';

/** Stand-ins for the recording's registry and for an address where nothing listens. */
export const REGISTRY = 'registry.test:5000';
export const CLOSED = 'closed.test:5001';

/** Replaces the placeholders in a recording's steps by what they stand for here. */
export function fromRecording(value: unknown): unknown {
  if (typeof value === 'string') {
    const credentials = /^<credentials (.*)>$/.exec(value);
    if (credentials !== null) {
      const [username = '', password = ''] = (credentials[1] ?? '').split(':');
      return JSON.stringify({ auths: { [REGISTRY]: { username, password } } });
    }
    return value
      .replaceAll('<registry>', REGISTRY)
      .replaceAll('<closed>', CLOSED)
      .replaceAll('<digest>', digestOf('digest').slice('sha256:'.length));
  }
  if (Array.isArray(value)) return value.map(fromRecording);
  if (typeof value !== 'object' || value === null) return value;
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(value)) out[key] = fromRecording((value as Record<string, unknown>)[key]);
  return out;
}
