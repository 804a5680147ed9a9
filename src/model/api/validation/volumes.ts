import type { ObjectMeta } from '../object.ts';
import { quantityOf } from '../quantity.ts';
import type { PodSpec, Volume } from '../types.ts';
import { checkClaimSpec } from './claim-spec.ts';
import { checkFieldRef, checkResourceFieldRef } from './env.ts';
import { duplicate, type FieldErrors, forbidden, invalid, notSupported, required } from './field-errors.ts';
import { goSelector, checkAnnotations, checkLabels, checkLabelSelector } from './labels.ts';
import { isDns1123Label, isDns1123Subdomain } from './names.ts';
import { checkLocalNonReservedPath } from './paths.ts';
import * as source from './volume-sources.ts';

/** The volumes of a pod. Upstream: ValidateVolumes and validateVolumeSource of pkg/apis/core/validation. */

type Of<K extends keyof Volume> = NonNullable<Volume[K]>;
type DownwardFile = NonNullable<Of<'downwardAPI'>['items']>[number];
type Projection = NonNullable<Of<'projected'>['sources']>[number];

const modeMessage = 'must be a number between 0 and 0777 (octal), both inclusive';
const downwardFieldPaths = ['metadata.name', 'metadata.namespace', 'metadata.labels', 'metadata.annotations', 'metadata.uid'];

function checkMode(mode: number | undefined, field: string, out: FieldErrors): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777)) out.push(invalid(field, mode, modeMessage));
}

interface KeyToPath {
  readonly key: string;
  readonly path: string;
  readonly mode?: number;
}

function checkItems(items: readonly KeyToPath[] | undefined, field: string, out: FieldErrors): void {
  if (items === undefined) return;
  for (let i = 0; i < items.length; i++) {
    const { key = '', path = '', mode } = items[i] ?? {};
    if (key === '') out.push(required(`${field}.items[${i}].key`));
    if (path === '') out.push(required(`${field}.items[${i}].path`));
    checkLocalNonReservedPath(path, `${field}.items[${i}].path`, out);
    checkMode(mode, `${field}.items[${i}].mode`, out);
  }
}

function checkEmptyDir(emptyDir: Of<'emptyDir'>, field: string, out: FieldErrors): void {
  if (emptyDir.sizeLimit !== undefined && quantityOf(emptyDir.sizeLimit).nano < 0n) {
    out.push(forbidden(`${field}.sizeLimit`, 'SizeLimit field must be a valid resource quantity'));
  }
}

function checkSecret(secret: Of<'secret'>, field: string, out: FieldErrors): void {
  if ((secret.secretName ?? '') === '') out.push(required(`${field}.secretName`));
  checkMode(secret.defaultMode, `${field}.defaultMode`, out);
  checkItems(secret.items, field, out);
}

function checkConfigMap(configMap: Of<'configMap'>, field: string, out: FieldErrors): void {
  if ((configMap.name ?? '') === '') out.push(required(`${field}.name`));
  checkMode(configMap.defaultMode, `${field}.defaultMode`, out);
  checkItems(configMap.items, field, out);
}

function checkDownwardFile(file: DownwardFile, field: string, out: FieldErrors): void {
  const path = file.path ?? '';
  if (path === '') out.push(required(`${field}.path`));
  checkLocalNonReservedPath(path, `${field}.path`, out);
  if (file.fieldRef !== undefined) {
    checkFieldRef(file.fieldRef, downwardFieldPaths, `${field}.fieldRef`, out);
    if (file.resourceFieldRef !== undefined)
      out.push(invalid(field, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
  } else if (file.resourceFieldRef !== undefined) checkResourceFieldRef(file.resourceFieldRef, `${field}.resourceFieldRef`, true, out);
  else out.push(required(field, 'one of fieldRef and resourceFieldRef is required'));
  checkMode(file.mode, `${field}.mode`, out);
}

/** Upstream reports a file's mistakes on the volume, without an index. */
function checkDownwardApi(volume: Of<'downwardAPI'>, field: string, out: FieldErrors): void {
  checkMode(volume.defaultMode, `${field}.defaultMode`, out);
  for (const file of volume.items ?? []) checkDownwardFile(file, field, out);
}

function checkProjected(volume: Of<'projected'>, field: string, out: FieldErrors): void {
  checkMode(volume.defaultMode, `${field}.defaultMode`, out);
  const sources = volume.sources ?? [];
  const paths = new Set<string>();
  const claim = (path: string, blame: string): void => {
    if (path === '') return;
    if (paths.has(path)) out.push(invalid(field, blame, 'conflicting duplicate paths'));
    else paths.add(path);
  };
  for (let i = 0; i < sources.length; i++) {
    const projection = sources[i];
    if (projection !== undefined) checkProjection(projection, field, `${field}.sources[${i}]`, claim, out);
  }
}

function checkProjection(
  projection: Projection,
  volume: string,
  field: string,
  claim: (path: string, blame: string) => void,
  out: FieldErrors,
): void {
  let count = 0;
  for (const key of ['secret', 'configMap'] as const) {
    const from = projection[key];
    if (from === undefined) continue;
    count++;
    if ((from.name ?? '') === '') out.push(required(`${field}.${key}.name`));
    checkItems(from.items, `${field}.${key}`, out);
    for (const item of from.items ?? []) claim(item.path ?? '', from.name ?? '');
  }
  if (projection.downwardAPI !== undefined) {
    count++;
    for (const file of projection.downwardAPI.items ?? []) {
      checkDownwardFile(file, `${field}.downwardAPI`, out);
      claim(file.path ?? '', file.path ?? '');
    }
  }
  if (projection.serviceAccountToken !== undefined) {
    count++;
    const { expirationSeconds = 0, path = '' } = projection.serviceAccountToken;
    const expiration = `${field}.serviceAccountToken.expirationSeconds`;
    if (expirationSeconds < 600) out.push(invalid(expiration, expirationSeconds, 'may not specify a duration less than 10 minutes'));
    if (expirationSeconds > 2 ** 32)
      out.push(invalid(expiration, expirationSeconds, 'may not specify a duration larger than 2^32 seconds'));
    if (path === '') out.push(required(`${volume}.path`));
    else checkLocalNonReservedPath(path, `${volume}.path`, out);
  }
  if (projection.clusterTrustBundle !== undefined) {
    count++;
    checkTrustBundle(projection.clusterTrustBundle, `${field}.clusterTrustBundle`, out);
    claim(projection.clusterTrustBundle.path ?? '', projection.clusterTrustBundle.path ?? '');
  }
  if (projection.podCertificate !== undefined) count++;
  if (count > 1) out.push(forbidden(field, 'may not specify more than 1 volume type per source'));
}

function checkTrustBundle(bundle: NonNullable<Projection['clusterTrustBundle']>, field: string, out: FieldErrors): void {
  const { name, signerName, labelSelector, path = '' } = bundle;
  if (name !== undefined && signerName !== undefined) {
    const go = {
      Name: name,
      SignerName: signerName,
      LabelSelector: goSelector(labelSelector),
      Optional: bundle.optional ?? null,
      Path: path,
    };
    out.push(invalid(field, go, 'only one of name and signerName may be used'));
  } else if (name !== undefined) {
    if (name === '') out.push(required(`${field}.name`, 'must be a valid object name'));
    for (const message of isDns1123Subdomain(name.replaceAll(':', '.')))
      out.push(invalid(`${field}.name`, name, `not a valid clustertrustbundlename: ${message}`));
    if (labelSelector !== undefined)
      out.push(invalid(`${field}.labelSelector`, goSelector(labelSelector), 'labelSelector must be unset if name is specified'));
  } else if (signerName !== undefined) {
    if (signerName === '') out.push(required(`${field}.signerName`, 'must be a valid signer name'));
    checkLabelSelector(labelSelector, `${field}.labelSelector`, out);
  } else out.push(required(field, 'either name or signerName must be specified'));
  if (path === '') out.push(required(`${field}.path`));
  checkLocalNonReservedPath(path, `${field}.path`, out);
}

function checkCsi(csi: Of<'csi'>, field: string, out: FieldErrors): void {
  source.checkCsiDriverName(csi.driver ?? '', `${field}.driver`, out);
  const secret = csi.nodePublishSecretRef;
  if (secret === undefined) return;
  const name = secret.name ?? '';
  if (name === '') out.push(required(`${field}.nodePublishSecretRef.name`));
  else for (const message of isDns1123Subdomain(name)) out.push(invalid(`${field}.name`, name, message));
}

function checkEphemeral(ephemeral: Of<'ephemeral'>, field: string, out: FieldErrors): void {
  const template = ephemeral.volumeClaimTemplate;
  if (template === undefined) return void out.push(required(`${field}.volumeClaimTemplate`));
  checkAnnotations(template.metadata?.annotations, `${field}.volumeClaimTemplate.metadata.annotations`, out);
  checkLabels(template.metadata?.labels, `${field}.volumeClaimTemplate.metadata.labels`, out);
  for (const key of Object.keys(template.metadata ?? {})) {
    if (key !== 'labels' && key !== 'annotations' && key !== 'creationTimestamp')
      out.push(forbidden(`${field}.volumeClaimTemplate.metadata.${key}`, 'cannot be set'));
  }
  checkClaimSpec(template.spec ?? {}, `${field}.volumeClaimTemplate.spec`, out);
}

function checkImage(isPod: boolean) {
  return (image: Of<'image'>, field: string, out: FieldErrors): void => {
    if (isPod && (image.reference ?? '') === '') out.push(required(`${field}.reference`));
    checkPullPolicy(image.pullPolicy, `${field}.pullPolicy`, out);
  };
}

/** validatePullPolicy. */
export function checkPullPolicy(policy: string | undefined, field: string, out: FieldErrors): void {
  if (policy === 'IfNotPresent' || policy === 'Always' || policy === 'Never') return;
  if (policy === undefined || policy === '') out.push(required(field));
  else out.push(notSupported(field, policy, ['Always', 'IfNotPresent', 'Never']));
}

function sourceKinds(isPod: boolean): readonly source.SourceKind[] {
  return [
    { key: 'emptyDir', check: checkEmptyDir },
    { key: 'hostPath', check: source.checkHostPath },
    { key: 'gitRepo', check: source.checkGitRepo },
    { key: 'gcePersistentDisk', check: source.checkGcePersistentDisk, path: 'persistentDisk' },
    { key: 'awsElasticBlockStore', check: source.checkAwsElasticBlockStore },
    { key: 'secret', check: checkSecret },
    { key: 'nfs', check: source.checkNfs },
    { key: 'iscsi', check: source.checkIscsi },
    { key: 'glusterfs', check: source.checkGlusterfs },
    { key: 'flocker', check: source.checkFlocker },
    {
      key: 'persistentVolumeClaim',
      check: (claim: Of<'persistentVolumeClaim'>, field, out) => {
        if ((claim.claimName ?? '') === '') out.push(required(`${field}.claimName`));
      },
    },
    { key: 'rbd', check: source.checkRbd },
    { key: 'cinder', check: source.checkCinder(false) },
    { key: 'cephfs', check: source.checkCephFs, duplicatePath: 'cephFS' },
    { key: 'quobyte', check: source.checkQuobyte },
    { key: 'downwardAPI', check: checkDownwardApi, duplicatePath: 'downwarAPI' },
    { key: 'fc', check: source.checkFc },
    { key: 'flexVolume', check: source.checkFlex },
    { key: 'configMap', check: checkConfigMap },
    { key: 'azureFile', check: source.checkAzureFile },
    { key: 'vsphereVolume', check: source.checkVsphere },
    { key: 'photonPersistentDisk', check: source.checkPhoton },
    { key: 'portworxVolume', check: source.checkPortworx },
    { key: 'azureDisk', check: source.checkAzureDisk },
    { key: 'storageos', check: source.checkStorageOs(false) },
    { key: 'projected', check: checkProjected },
    { key: 'scaleIO', check: source.checkScaleIo },
    { key: 'csi', check: checkCsi },
    { key: 'ephemeral', check: checkEphemeral },
    { key: 'image', check: checkImage(isPod) },
  ];
}

const podSources = sourceKinds(true);
const templateSources = sourceKinds(false);

/** Volumes by name, of those that are right: what mounts may refer to. */
export type VolumesByName = ReadonlyMap<string, Volume>;
const noVolumes: VolumesByName = new Map();

/** ValidateVolumes. `pod` is undefined in templates. */
export function checkVolumes(volumes: PodSpec['volumes'], pod: ObjectMeta | undefined, field: string, out: FieldErrors): VolumesByName {
  if (volumes === undefined || volumes.length === 0) return noVolumes;
  const byName = new Map<string, Volume>();
  const podName = pod?.name ?? '';
  for (let i = 0; i < volumes.length; i++) {
    const volume = volumes[i];
    if (volume === undefined) continue;
    const before = out.length;
    const path = `${field}[${i}]`;
    const name = volume.name ?? '';
    if (source.checkOneSource(volume, pod === undefined ? templateSources : podSources, path, out) === 0)
      out.push(required(path, 'must specify a volume type'));
    if (volume.iscsi?.initiatorName !== undefined && `${name}:${volume.iscsi.targetPortal}`.length > 64) {
      out.push(
        invalid(
          `${path}.name`,
          name,
          'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.',
        ),
      );
    }
    if (volume.ephemeral !== undefined && podName !== '' && name !== '') {
      for (const message of isDns1123Subdomain(`${podName}-${name}`))
        out.push(invalid(`${path}.name`, name, `PVC name "${podName}-${name}": ${message}`));
    }
    if (name === '') out.push(required(`${path}.name`));
    else for (const message of isDns1123Label(name)) out.push(invalid(`${path}.name`, name, message));
    if (byName.has(name)) out.push(duplicate(`${path}.name`, name));
    if (out.length === before) byName.set(name, volume);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined && podName !== '' && volumes.some((v) => v.ephemeral !== undefined && `${podName}-${v.name}` === claim)) {
      out.push(
        invalid(`${path}.persistentVolumeClaim.claimName`, claim, 'must not reference a PVC that gets created for an ephemeral volume'),
      );
    }
  }
  return byName;
}
