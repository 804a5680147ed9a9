import type { CertificateSigningRequest } from '../../types.ts';
import { duplicate, type FieldErrors, forbidden, invalid, notSupported, required } from '../../validation/field-errors.ts';
import { checkImmutable } from '../../validation/immutable.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isDns1123Subdomain, nameIsDnsSubdomain } from '../../validation/names.ts';
import { age, columns, humanDuration, none } from '../columns.ts';
import { defineKind } from '../define.ts';
import { statusUpdate } from '../strategy.ts';

/** Upstream: pkg/registry/certificates/certificates/strategy.go, pkg/apis/certificates/validation. The server fills in who asks. */
const rule = { namespaced: false, name: nameIsDnsSubdomain, coreFinalizers: true };
const conditionTypes = ['Approved', 'Denied', 'Failed'];
type Spec = CertificateSigningRequest['spec'];

/** ValidateSignerName: a domain, a slash, and up to three more segments. */
function checkSignerName(name: string, out: FieldErrors): void {
  const field = 'spec.signerName';
  if (name === '') return void out.push(required(field));
  const segments = name.split('/');
  if (segments.length !== 2)
    return void out.push(invalid(field, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'"));
  const [domain = '', path = ''] = segments;
  for (const message of isDns1123Subdomain(domain)) out.push(invalid(field, domain, `validating label "${domain}": ${message}`));
  if (!domain.includes('.')) out.push(invalid(field, domain, 'should be a domain with at least two segments separated by dots'));
  if (path === '') out.push(invalid(field, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'"));
}

function checkSpec(spec: Spec | undefined, out: FieldErrors): void {
  if ((spec?.request ?? '') === '') out.push(invalid('spec.request', '', 'PEM block type must be CERTIFICATE REQUEST'));
  const usages: readonly string[] = spec?.usages ?? [];
  if (usages.length === 0) out.push(required('spec.usages'));
  for (const [i, usage] of usages.entries()) if (usages.indexOf(usage) < i) out.push(duplicate(`spec.usages[${i}]`, usage));
  checkSignerName(spec?.signerName ?? '', out);
  if (spec?.signerName === 'kubernetes.io/legacy-unknown')
    out.push(invalid('spec.signerName', spec.signerName, 'the legacy signerName is not allowed via this API version'));
  const seconds = spec?.expirationSeconds;
  if (seconds !== undefined && seconds < 600)
    out.push(invalid('spec.expirationSeconds', seconds, 'may not specify a duration less than 600 seconds (10 minutes)'));
}

function checkConditions(next: CertificateSigningRequest, previous: CertificateSigningRequest, approval: boolean, out: FieldErrors): void {
  const conditions = next.status?.conditions ?? [];
  const has = (request: CertificateSigningRequest, type: string): boolean =>
    request.status?.conditions?.some((c) => c.type === type) === true;
  for (const [i, condition] of conditions.entries()) {
    const path = `status.conditions[${i}]`;
    const type: string = condition.type ?? '';
    if (type === '') out.push(required(`${path}.type`));
    const status: string = condition.status ?? '';
    if (status === '') out.push(required(`${path}.status`));
    else if (conditionTypes.includes(type) && status !== 'True') out.push(notSupported(`${path}.status`, status, ['True']));
    if (conditions.findIndex((c) => c.type === type) < i) out.push(duplicate(`${path}.type`, type));
  }
  for (const type of conditionTypes) {
    const mayChange = approval ? type !== 'Failed' : type === 'Failed';
    if (has(previous, type) && !has(next, type))
      out.push(forbidden('status.conditions', `updates may not remove a condition of type "${type}"`));
    if (!has(previous, type) && has(next, type) && !mayChange)
      out.push(forbidden('status.conditions', `updates may not add a condition of type "${type}"`));
  }
  if (has(next, 'Approved') && has(next, 'Denied'))
    out.push(invalid('status.conditions', 'Denied', 'Approved and Denied conditions are mutually exclusive'));
}

function conditionText({ status }: CertificateSigningRequest): string {
  const types = (status?.conditions ?? []).map((c) => c.type);
  const first = types.includes('Denied') ? 'Denied' : types.includes('Approved') ? 'Approved' : 'Pending';
  const texts = [first];
  if (types.includes('Failed')) texts.push('Failed');
  if ((status?.certificate ?? '') !== '') texts.push('Issued');
  return texts.join(',');
}

export const certificateSigningRequest = defineKind<CertificateSigningRequest>('certificates.k8s.io/v1', 'certificatesigningrequests', {
  prepareForCreate: (object) => ({ ...object, status: {} }),
  prepareForUpdate: (next, previous) => ({
    ...next,
    spec: previous.spec,
    ...(previous.status === undefined ? {} : { status: previous.status }),
  }),
  prepareForStatusUpdate: statusUpdate,
  validate({ metadata, spec }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    checkSpec(spec, out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    return out;
  },
  validateStatusUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    checkConditions(next, previous, false, out);
    if ((previous.status?.certificate ?? '') !== '')
      checkImmutable(next.status?.certificate, previous.status?.certificate, 'status.certificate', out);
    return out;
  },
  fieldNames: ['spec.signerName'],
  fields: ({ spec }) => ({ 'spec.signerName': spec?.signerName ?? '' }),
  columns: columns<CertificateSigningRequest>('certificatesigningrequests.certificates.k8s.io', [
    age(),
    ['SignerName', 'string', ({ spec }) => spec?.signerName ?? ''],
    ['Requestor', 'string', ({ spec }) => spec?.username ?? ''],
    ['RequestedDuration', 'string', ({ spec }) => (spec?.expirationSeconds === undefined ? none : humanDuration(spec.expirationSeconds))],
    ['Condition', 'string', conditionText],
  ]),
});

/** ValidateCertificateSigningRequestApprovalUpdate, for the approval subresource. */
export function validateApproval(next: CertificateSigningRequest, previous: CertificateSigningRequest): FieldErrors {
  const out: FieldErrors = [];
  checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
  checkConditions(next, previous, true, out);
  return out;
}
