import type { Volume } from '../types.ts';
import { type FieldErrors, forbidden, invalid, notSupported, required, tooLong } from './field-errors.ts';
import { isDns1123Label, isDns1123Subdomain } from './names.ts';
import { rangeMessage } from './numbers.ts';
import { checkLocalDescendingPath, checkNoBacksteps } from './paths.ts';

/**
 * The sources that pods' volumes and persistent volumes have in common, one check per source.
 * Upstream: the validate…VolumeSource functions of pkg/apis/core/validation.
 */

type Text = string | undefined;
type SourceCheck<T> = (source: T, field: string, out: FieldErrors) => void;

/** Demands that the named fields are not empty. */
function demand(field: string, fields: Readonly<Record<string, Text>>, out: FieldErrors): void {
  for (const key of Object.keys(fields)) if ((fields[key] ?? '') === '') out.push(required(`${field}.${key}`));
}

const hostPathTypes = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'];

export const checkHostPath: SourceCheck<NonNullable<Volume['hostPath']>> = (source, field, out) => {
  if ((source.path ?? '') === '') return void out.push(required(`${field}.path`));
  checkNoBacksteps(source.path, `${field}.path`, out);
  const type: Text = source.type;
  if (type !== undefined && !hostPathTypes.includes(type)) out.push(notSupported(`${field}.type`, type, hostPathTypes));
};

export const checkGitRepo: SourceCheck<NonNullable<Volume['gitRepo']>> = (source, field, out) => {
  demand(field, { repository: source.repository }, out);
  checkLocalDescendingPath(source.directory ?? '', `${field}.directory`, out);
};

export const checkGcePersistentDisk: SourceCheck<NonNullable<Volume['gcePersistentDisk']>> = (source, field, out) => {
  demand(field, { pdName: source.pdName }, out);
  checkPartition(source.partition, field, out);
};

export const checkAwsElasticBlockStore: SourceCheck<NonNullable<Volume['awsElasticBlockStore']>> = (source, field, out) => {
  demand(field, { volumeID: source.volumeID }, out);
  checkPartition(source.partition, field, out);
};

function checkPartition(partition: number | undefined, field: string, out: FieldErrors): void {
  if (partition !== undefined && (partition < 0 || partition > 255))
    out.push(invalid(`${field}.partition`, partition, rangeMessage(1, 255)));
}

export const checkNfs: SourceCheck<NonNullable<Volume['nfs']>> = (source, field, out) => {
  demand(field, { server: source.server, path: source.path }, out);
  if (!(source.path ?? '').startsWith('/')) out.push(invalid(`${field}.path`, source.path ?? '', 'must be an absolute path'));
};

const iqn = /iqn\.\d{4}-\d{2}\.([A-Za-z0-9-.]+)(:[^,;*&$|\s]+)$/;
const eui = /^eui.[A-Za-z0-9]{16}$/;
const naa = /^naa.[A-Za-z0-9]{32}$/;

/** Undefined: the prefix is none of the three. */
function iscsiNameIsValid(name: string): boolean | undefined {
  if (name.startsWith('iqn')) return iqn.test(name);
  if (name.startsWith('eui')) return eui.test(name);
  if (name.startsWith('naa')) return naa.test(name);
  return undefined;
}

interface Iscsi {
  readonly targetPortal: string;
  readonly iqn: string;
  readonly lun: number;
  readonly chapAuthDiscovery?: boolean;
  readonly chapAuthSession?: boolean;
  readonly initiatorName?: string;
  readonly secretRef?: object;
}

export const checkIscsi: SourceCheck<Iscsi> = (source, field, out) => {
  demand(field, { targetPortal: source.targetPortal, iqn: source.iqn }, out);
  if ((source.iqn ?? '') !== '') {
    const valid = iscsiNameIsValid(source.iqn);
    if (valid === undefined) out.push(invalid(`${field}.iqn`, source.iqn, 'must be valid format starting with iqn, eui, or naa'));
    else if (!valid) out.push(invalid(`${field}.iqn`, source.iqn, 'must be valid format'));
  }
  const lun = source.lun ?? 0;
  if (lun < 0 || lun > 255) out.push(invalid(`${field}.lun`, lun, rangeMessage(0, 255)));
  if ((source.chapAuthDiscovery === true || source.chapAuthSession === true) && source.secretRef === undefined)
    out.push(required(`${field}.secretRef`));
  if (source.initiatorName !== undefined) {
    const valid = iscsiNameIsValid(source.initiatorName);
    if (valid === undefined)
      out.push(invalid(`${field}.initiatorname`, source.initiatorName, 'must be valid format starting with iqn, eui, or naa'));
    else if (!valid) out.push(invalid(`${field}.initiatorname`, source.initiatorName, 'must be valid format'));
  }
};

export const checkGlusterfs: SourceCheck<{ readonly endpoints: string; readonly path: string }> = (source, field, out) => {
  demand(field, { endpoints: source.endpoints, path: source.path }, out);
};

export const checkFlocker: SourceCheck<NonNullable<Volume['flocker']>> = (source, field, out) => {
  const { datasetName = '', datasetUUID = '' } = source;
  if (datasetName === '' && datasetUUID === '') out.push(required(field, 'one of datasetName and datasetUUID is required'));
  if (datasetName !== '' && datasetUUID !== '')
    out.push(invalid(field, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'));
  if (datasetName.includes('/')) out.push(invalid(`${field}.datasetName`, datasetName, "must not contain '/'"));
};

export const checkRbd: SourceCheck<{ readonly monitors: readonly string[]; readonly image: string }> = (source, field, out) => {
  if ((source.monitors ?? []).length === 0) out.push(required(`${field}.monitors`));
  demand(field, { image: source.image }, out);
};

export const checkCephFs: SourceCheck<{ readonly monitors: readonly string[] }> = (source, field, out) => {
  if ((source.monitors ?? []).length === 0) out.push(required(`${field}.monitors`));
};

interface SecretRef {
  readonly name?: string;
  readonly namespace?: string;
}

/** `namespaced`: persistent volumes name the namespace of the secret too. */
function checkSecretRef(ref: SecretRef | undefined, field: string, namespaced: boolean, out: FieldErrors): void {
  if (ref === undefined) return;
  demand(field, namespaced ? { name: ref.name, namespace: ref.namespace } : { name: ref.name }, out);
}

export const checkCinder =
  (namespaced: boolean): SourceCheck<{ readonly volumeID: string; readonly secretRef?: SecretRef }> =>
  (source, field, out) => {
    demand(field, { volumeID: source.volumeID }, out);
    checkSecretRef(source.secretRef, `${field}.secretRef`, namespaced, out);
  };

export const checkStorageOs =
  (namespaced: boolean): SourceCheck<{ readonly volumeName?: string; readonly volumeNamespace?: string; readonly secretRef?: SecretRef }> =>
  (source, field, out) => {
    const { volumeName = '', volumeNamespace = '' } = source;
    if (volumeName === '') out.push(required(`${field}.volumeName`));
    else for (const message of isDns1123Label(volumeName)) out.push(invalid(`${field}.volumeName`, volumeName, message));
    if (volumeNamespace !== '')
      for (const message of isDns1123Label(volumeNamespace)) out.push(invalid(`${field}.volumeNamespace`, volumeNamespace, message));
    checkSecretRef(source.secretRef, `${field}.secretRef`, namespaced, out);
  };

export const checkQuobyte: SourceCheck<NonNullable<Volume['quobyte']>> = (source, field, out) => {
  const detail = 'must be a host:port pair or multiple pairs separated by commas';
  if ((source.registry ?? '') === '') out.push(required(`${field}.registry`, detail));
  else if ((source.tenant ?? '').length >= 65)
    out.push(required(`${field}.tenant`, 'must be a UUID and may not exceed a length of 64 characters'));
  else {
    for (const pair of source.registry.split(','))
      if (!/^(\[[^\]]*\]|[^:]*):[^:]*$/.test(pair)) out.push(invalid(`${field}.registry`, source.registry, detail));
  }
  demand(field, { volume: source.volume }, out);
};

export const checkFc: SourceCheck<NonNullable<Volume['fc']>> = (source, field, out) => {
  const { targetWWNs = [], wwids = [], lun } = source;
  if (targetWWNs.length === 0 && wwids.length === 0)
    out.push(required(`${field}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both'));
  if (targetWWNs.length > 0 && wwids.length > 0)
    out.push(invalid(`${field}.targetWWNs`, targetWWNs, 'targetWWNs and wwids can not be specified simultaneously'));
  if (targetWWNs.length === 0) return;
  if (lun === undefined) out.push(required(`${field}.lun`, 'lun is required if targetWWNs is specified'));
  else if (lun < 0 || lun > 255) out.push(invalid(`${field}.lun`, lun, rangeMessage(0, 255)));
};

export const checkFlex: SourceCheck<{ readonly driver: string; readonly options?: Readonly<Record<string, string>> }> = (
  source,
  field,
  out,
) => {
  demand(field, { driver: source.driver }, out);
  for (const key of Object.keys(source.options ?? {}).sort()) {
    const domain = `.${(key.includes('/') ? key.slice(0, key.indexOf('/')) : key).toLowerCase()}`;
    if (domain.endsWith('.kubernetes.io') || domain.endsWith('.k8s.io')) {
      out.push(invalid(`${field}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved'));
    }
  }
};

export const checkAzureFile: SourceCheck<{ readonly secretName: string; readonly shareName: string; readonly secretNamespace?: string }> = (
  source,
  field,
  out,
) => {
  demand(field, { secretName: source.secretName, shareName: source.shareName }, out);
  if (source.secretNamespace === '') out.push(required(`${field}.secretNamespace`));
};

export const checkAzureDisk: SourceCheck<NonNullable<Volume['azureDisk']>> = (source, field, out) => {
  demand(field, { diskName: source.diskName, diskURI: source.diskURI }, out);
  const caching: Text = source.cachingMode;
  const kind: Text = source.kind;
  const uri = source.diskURI ?? '';
  const cachingModes = ['None', 'ReadOnly', 'ReadWrite'];
  const kinds = ['Dedicated', 'Managed', 'Shared'];
  if (caching !== undefined && !cachingModes.includes(caching)) out.push(notSupported(`${field}.cachingMode`, caching, cachingModes));
  if (kind !== undefined && !kinds.includes(kind)) out.push(notSupported(`${field}.kind`, kind, kinds));
  if (kind === 'Managed' && !uri.startsWith('/subscriptions/')) {
    out.push(
      notSupported(`${field}.diskURI`, uri, [
        '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}',
      ]),
    );
  }
  if (kind !== undefined && kind !== 'Managed' && !uri.startsWith('https://')) {
    out.push(notSupported(`${field}.diskURI`, uri, ['https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd']));
  }
};

export const checkVsphere: SourceCheck<{ readonly volumePath: string }> = (source, field, out) =>
  demand(field, { volumePath: source.volumePath }, out);
export const checkPhoton: SourceCheck<{ readonly pdID: string }> = (source, field, out) => demand(field, { pdID: source.pdID }, out);
export const checkPortworx: SourceCheck<{ readonly volumeID: string }> = (source, field, out) =>
  demand(field, { volumeID: source.volumeID }, out);
export const checkScaleIo: SourceCheck<{ readonly gateway: string; readonly system: string; readonly volumeName?: string }> = (
  source,
  field,
  out,
) => demand(field, { gateway: source.gateway, system: source.system, volumeName: source.volumeName }, out);

/** ValidateCSIDriverName. */
export function checkCsiDriverName(name: string, field: string, out: FieldErrors): void {
  if (name === '') out.push(required(field));
  if (name.length > 63) out.push(tooLong(field, 63));
  for (const message of isDns1123Subdomain(name.toLowerCase())) out.push(invalid(field, name, message));
}

/** One kind of volume source: its JSON key, the name that errors give it, and its check. */
export interface SourceKind {
  readonly key: string;
  readonly check: (source: never, field: string, out: FieldErrors) => void;
  /** Where upstream's path differs from the key. */
  readonly path?: string;
  readonly duplicatePath?: string;
}

/** Runs the check of the one source that is set; more than one are refused, in upstream's order. Answers how many there are. */
export function checkOneSource(volume: object, kinds: readonly SourceKind[], field: string, out: FieldErrors): number {
  const sources = volume as Readonly<Record<string, unknown>>;
  let count = 0;
  for (const kind of kinds) {
    const source = sources[kind.key];
    if (source === undefined) continue;
    if (count++ > 0) out.push(forbidden(`${field}.${kind.duplicatePath ?? kind.key}`, 'may not specify more than 1 volume type'));
    else kind.check(source as never, `${field}.${kind.path ?? kind.key}`, out);
  }
  return count;
}
