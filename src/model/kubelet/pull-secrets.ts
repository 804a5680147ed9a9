import type { Task } from '../../sim/task.ts';
import type { Pod } from '../api/types.ts';
import { SECRETS } from '../client/resources.ts';
import type { Client } from '../client/typed-client.ts';
import type { PullCredentials } from './cri.ts';
import { decodeBase64 } from './environment.ts';
import type { PodEvents } from './pod-events.ts';

/** Credentials of the pod's image pull secrets, in their order. Secrets that cannot be read are named in an event and left out. */
export function* pullCredentials(client: Client, events: PodEvents, pod: Pod): Task<readonly PullCredentials[]> {
  const found: PullCredentials[] = [];
  const missing: string[] = [];
  for (const { name = '' } of pod.spec.imagePullSecrets ?? []) {
    const secret = yield* client.resource(SECRETS).get(pod.metadata.namespace ?? '', name);
    if (!secret.ok) missing.push(name);
    else {
      const data = secret.object.data as Readonly<Record<string, string>> | undefined;
      const text = data?.['.dockerconfigjson'];
      if (text !== undefined) found.push(...credentialsOf(decodeBase64(text)));
    }
  }
  if (missing.length > 0) {
    const message = `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`;
    events.pod(pod, 'Warning', 'FailedToRetrieveImagePullSecret', message);
  }
  return found;
}

/** The entries of a docker configuration: `{"auths": {"registry": {"username": …, "password": …, "auth": base64}}}`. */
function credentialsOf(text: string): readonly PullCredentials[] {
  let auths: Readonly<Record<string, { readonly username?: string; readonly password?: string; readonly auth?: string }>>;
  try {
    auths = (JSON.parse(text) as { readonly auths?: typeof auths }).auths ?? {};
  } catch {
    return [];
  }
  return Object.keys(auths)
    .sort()
    .map((registry) => {
      const { username, password, auth } = auths[registry] ?? {};
      if (username !== undefined) return { username, password: password ?? '' };
      const [user = '', ...rest] = decodeBase64(auth ?? '').split(':');
      return { username: user, password: rest.join(':') };
    });
}
