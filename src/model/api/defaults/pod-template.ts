import type { Container, EphemeralContainer, HTTPGetAction, Lifecycle, PodSpec, PodTemplateSpec, Probe, Volume } from '../types.ts';
import { changed, changedEach, mapShared, withField, withMissing } from './missing.ts';
import { defaultRequirements, roundedResources } from './resources.ts';

/** What the server fills into pods and pod templates alike. Upstream: pkg/apis/core/v1/defaults.go, SetDefaults_PodSpec and its parts. */

/** parsers.ParseImageName, as far as the tag 'latest' goes: explicit, or implied by neither tag nor digest. Unreadable names have no tag. */
export function isLatestImage(image: string): boolean {
  const digest = image.indexOf('@');
  const name = digest < 0 ? image : image.slice(0, digest);
  const slash = name.lastIndexOf('/');
  const colon = name.indexOf(':', slash + 1);
  const tag = colon < 0 ? '' : name.slice(colon + 1);
  if (tag === '' && digest >= 0) return false;
  if (tag !== '' && tag !== 'latest') return false;
  const path = colon < 0 ? name : name.slice(0, colon);
  // The host may have capitals and a port; the rest must be lower case.
  return /^(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]+)?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/.test(
    path,
  );
}

const probeDefaults = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };

function defaultHttpGet(action: HTTPGetAction): HTTPGetAction {
  const path = action.path === undefined || action.path === '' ? withField(action, 'path', '/') : action;
  return withMissing(path, { scheme: 'HTTP' });
}

function defaultProbe(probe: Probe): Probe {
  // A zero stands for an absent value: the Go fields are no pointers.
  let result = probe;
  for (const key of ['timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const) {
    if ((result[key] ?? 0) === 0) result = withField(result, key, probeDefaults[key]);
  }
  if (result.httpGet !== undefined) result = changed(result, 'httpGet', defaultHttpGet);
  if (result.grpc !== undefined) result = changed(result, 'grpc', (grpc) => withMissing(grpc, { service: '' }));
  return result;
}

function defaultLifecycle(lifecycle: Lifecycle): Lifecycle {
  const postStart = changed(lifecycle, 'postStart', (handler) => changed(handler, 'httpGet', defaultHttpGet));
  return changed(postStart, 'preStop', (handler) => changed(handler, 'httpGet', defaultHttpGet));
}

type EnvVar = NonNullable<Container['env']>[number];

function defaultEnv(variable: EnvVar): EnvVar {
  if (variable.valueFrom === undefined) return variable;
  return changed(variable, 'valueFrom', (source) => {
    const field = changed(source, 'fieldRef', (ref) => withMissing(ref, { apiVersion: 'v1' }));
    return changed(field, 'resourceFieldRef', (ref) => withMissing(ref, { divisor: '0' }));
  });
}

const tcp = { protocol: 'TCP' } as const;
const containerDefaults = { resources: {}, terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' } as const;

/** `fillRequests`: only in pods, limits also serve as requests. */
export function defaultContainer<T extends Container | EphemeralContainer>(container: T, fillRequests: boolean): T {
  let result: Container = container;
  if (result.imagePullPolicy === undefined) {
    result = { ...result, imagePullPolicy: isLatestImage(result.image ?? '') ? 'Always' : 'IfNotPresent' };
  }
  result = withMissing(result, containerDefaults);
  if (result.resources !== containerDefaults.resources) result = changed(result, 'resources', (r) => defaultRequirements(r, fillRequests));
  result = changedEach(result, 'ports', (port: NonNullable<Container['ports']>[number]) => withMissing(port, tcp));
  result = changedEach(result, 'env', defaultEnv);
  if (result.livenessProbe !== undefined) result = changed(result, 'livenessProbe', defaultProbe);
  if (result.readinessProbe !== undefined) result = changed(result, 'readinessProbe', defaultProbe);
  if (result.startupProbe !== undefined) result = changed(result, 'startupProbe', defaultProbe);
  if (result.lifecycle !== undefined) result = changed(result, 'lifecycle', defaultLifecycle);
  return result as T;
}

type DownwardFile = NonNullable<NonNullable<Volume['downwardAPI']>['items']>[number];

function defaultDownwardFile(file: DownwardFile): DownwardFile {
  const field = changed(file, 'fieldRef', (ref) => withMissing(ref, { apiVersion: 'v1' }));
  return changed(field, 'resourceFieldRef', (ref) => withMissing(ref, { divisor: '0' }));
}

const mode = { defaultMode: 0o644 };
const volumeChanges: { readonly [K in keyof Volume]?: (source: NonNullable<Volume[K]>) => NonNullable<Volume[K]> } = {
  secret: (source) => withMissing(source, mode),
  configMap: (source) => withMissing(source, mode),
  downwardAPI: (source) => changedEach(withMissing(source, mode), 'items', defaultDownwardFile),
  projected: (source) =>
    changedEach(withMissing(source, mode), 'sources', (projection: NonNullable<NonNullable<Volume['projected']>['sources']>[number]) => {
      const token = changed(projection, 'serviceAccountToken', (t) => withMissing(t, { expirationSeconds: 3600 }));
      const certificate = changed(token, 'podCertificate', (c) => withMissing(c, { maxExpirationSeconds: 86_400 }));
      return changed(certificate, 'downwardAPI', (d) => changedEach(d, 'items', defaultDownwardFile));
    }),
  hostPath: (source) => withMissing(source, { type: '' }),
  iscsi: (source) => withMissing(source, { iscsiInterface: 'default' }),
  rbd: (source) => withMissing(source, { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' }),
  azureDisk: (source) => withMissing(source, { cachingMode: 'ReadWrite', kind: 'Shared', fsType: 'ext4', readOnly: false }),
  scaleIO: (source) => withMissing(source, { storageMode: 'ThinProvisioned', fsType: 'xfs' }),
  ephemeral: (source) =>
    changed(source, 'volumeClaimTemplate', (template) => {
      const spec = changed(withMissing(template, { metadata: {} }), 'spec', (s) =>
        withMissing(s, { volumeMode: 'Filesystem', resources: {} }),
      );
      return spec;
    }),
  image: (source) => withMissing(source, { pullPolicy: isLatestImage(source.reference ?? '') ? 'Always' : 'IfNotPresent' }),
};

function defaultVolume(volume: Volume): Volume {
  let result = volume;
  let sources = 0;
  for (const key in volume) {
    if (key === 'name' || volume[key as keyof Volume] === undefined) continue;
    sources++;
    const change = volumeChanges[key as keyof Volume] as ((source: object) => object) | undefined;
    if (change === undefined) continue;
    const source = volume[key as keyof Volume] as unknown as object;
    const next = change(source);
    if (next !== source) result = { ...result, [key]: next };
  }
  return sources === 0 ? { ...volume, emptyDir: {} } : result;
}

const specDefaults = {
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 30,
  dnsPolicy: 'ClusterFirst',
  securityContext: {},
  schedulerName: 'default-scheduler',
} as const;

/** SetDefaults_PodSpec and the parts below it, and the two spellings of the service account. */
export function defaultPodSpec(spec: PodSpec, fillRequests: boolean): PodSpec {
  let result = withMissing(spec, specDefaults);
  result = changedEach(result, 'volumes', defaultVolume);
  const container = fillRequests ? defaultPodContainer : defaultTemplateContainer;
  if (result.containers !== undefined && result.containers !== null)
    result = withField(result, 'containers', mapShared(result.containers, container));
  if (result.initContainers !== undefined) result = withField(result, 'initContainers', mapShared(result.initContainers, container));
  result = changedEach(result, 'ephemeralContainers', (c: EphemeralContainer) => defaultContainer(c, false));
  if (result.overhead !== undefined) result = changed(result, 'overhead', roundedResources);
  const account = result.serviceAccountName ?? result.serviceAccount;
  if (account !== undefined && account !== '') {
    if (result.serviceAccountName !== account || result.serviceAccount !== account)
      result = { ...result, serviceAccountName: account, serviceAccount: account };
  }
  return result;
}

function defaultPodContainer(container: Container): Container {
  return defaultContainer(container, true);
}

function defaultTemplateContainer(container: Container): Container {
  return defaultContainer(container, false);
}

/** Templates that need nothing any more: controllers write them back unchanged with every update. */
const complete = new WeakSet<PodTemplateSpec>();

export function defaultPodTemplate(template: PodTemplateSpec): PodTemplateSpec {
  if (complete.has(template)) return template;
  const withMetadata = withMissing(template, { metadata: {}, spec: { containers: [] } });
  const result = changed(withMetadata, 'spec', (spec) => defaultPodSpec(spec, false));
  complete.add(result);
  return result;
}
