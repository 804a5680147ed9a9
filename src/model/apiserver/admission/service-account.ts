import { randomSuffix } from '../../api/names.ts';
import type { UntypedObject } from '../../api/object.ts';
import { forbidden } from '../../api/status.ts';
import type { Container, Pod, ServiceAccount, Volume } from '../../api/types.ts';
import { refuse } from '../refusal.ts';
import { keyOf, readObject } from '../resource-store.ts';
import type { AdmissionPlugin } from '../server-context.ts';
import { cachedOne, kindNamed } from './lookup.ts';

const tokenPath = '/var/run/secrets/kubernetes.io/serviceaccount';
const volumePrefix = 'kube-api-access-';
/** An hour and a little, so that kubelets refresh hourly: upstream WarnOnlyBoundTokenExpirationPeriod. */
const tokenSeconds = 3607;
const mirrorAnnotation = 'kubernetes.io/config.mirror';
const enforceAnnotation = 'kubernetes.io/enforce-mountable-secrets';

/** ServiceAccount: a pod runs as an existing account, with its token mounted. */
export const serviceAccount: AdmissionPlugin = {
  name: 'ServiceAccount',
  handles: ({ kind, operation, subresource }) => kind.kind === 'Pod' && operation === 'CREATE' && subresource === '',
  *admit(request, server) {
    const pod = request.object as Pod | undefined;
    if (pod === undefined || pod.metadata.annotations?.[mirrorAnnotation] !== undefined) return request.object;
    const refused = (why: string): never => refuse(forbidden(request.kind, pod.metadata.name ?? '', why));
    const name = pod.spec.serviceAccountName ?? 'default';
    const accounts = kindNamed(server, '', 'v1', 'serviceaccounts');
    let found: UntypedObject | undefined = yield* cachedOne(server, accounts, request.namespace, name);
    found ??= yield* readObject(server, keyOf(accounts, request.namespace, name));
    if (found === undefined)
      return refused(`error looking up service account ${request.namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`);
    const account = found as unknown as ServiceAccount;
    if (account.metadata.annotations?.[enforceAnnotation] === 'true') checkMountable(pod, account, refused);
    let spec: Pod['spec'] = { ...pod.spec, serviceAccountName: name, serviceAccount: name };
    if ((spec.imagePullSecrets?.length ?? 0) === 0 && (account.imagePullSecrets?.length ?? 0) > 0) {
      spec = { ...spec, imagePullSecrets: account.imagePullSecrets ?? [] };
    }
    if (pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) {
      spec = withToken(spec, () => volumePrefix + randomSuffix(server.environment.random));
    }
    return { ...pod, spec } as unknown as UntypedObject;
  },
};

function withToken(spec: Pod['spec'], newName: () => string): Pod['spec'] {
  const needs = (container: Container): boolean => !(container.volumeMounts ?? []).some((mount) => mount.mountPath === tokenPath);
  const existing = (spec.volumes ?? []).find((volume) => volume.name.startsWith(volumePrefix) && volume.projected !== undefined);
  if (!(spec.containers ?? []).some(needs) && !(spec.initContainers ?? []).some(needs)) return spec;
  const name = existing?.name ?? newName();
  const mounted = (container: Container): Container =>
    needs(container)
      ? { ...container, volumeMounts: [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: tokenPath }] }
      : container;
  return {
    ...spec,
    containers: (spec.containers ?? []).map(mounted),
    ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(mounted) }),
    volumes: existing === undefined ? [...(spec.volumes ?? []), tokenVolume(name)] : (spec.volumes ?? []),
  };
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      defaultMode: 420,
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
      ],
    },
  };
}

function checkMountable(pod: Pod, account: ServiceAccount, refused: (why: string) => never): void {
  const allowed = new Set((account.secrets ?? []).map((secret) => secret.name));
  const name = account.metadata.name;
  for (const volume of pod.spec.volumes ?? []) {
    const secret = volume.secret?.secretName;
    if (secret !== undefined && !allowed.has(secret))
      refused(
        `volume with secret.secretName=${JSON.stringify(secret)} is not allowed because service account ${name} does not reference that secret`,
      );
  }
}
