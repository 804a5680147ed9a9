/**
 * Names of things: DNS labels and subdomains, qualified names, label values, keys, port names, header names.
 * Each check answers the complaints about the value, none when it is right.
 * Upstream: k8s.io/apimachinery/pkg/util/validation/validation.go.
 */

const none: readonly string[] = [];

const dns1123Label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const dns1123Subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const dns1123SubdomainLoose = /^[_a-z0-9]([-_a-z0-9]*[_a-z0-9])?(\.[_a-z0-9]([-_a-z0-9]*[_a-z0-9])?)*$/;
const dns1035Label = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const wildcardSubdomain = /^\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const qualifiedNamePart = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

const labelMessage =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const subdomainMessage =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const looseSubdomainMessage =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[_a-z0-9]([-_a-z0-9]*[_a-z0-9])?(\\.[_a-z0-9]([-_a-z0-9]*[_a-z0-9])?)*')";
const label1035Message =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const wildcardMessage =
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const configKeyMessage =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const headerMessage =
  "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";
const qualifiedNameMessage =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const labelValueMessage =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const cIdentifierMessage =
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')";
const percentMessage =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

/** Length in bytes of UTF-8, without encoding. */
export function byteLength(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    if (code >= 0xd800 && code < 0xdc00) {
      bytes += 2;
      i++;
    } else bytes += code < 0x800 ? 1 : 2;
  }
  return bytes;
}

/** validation.MaxLenError. */
export function maxLengthMessage(limit: number): string {
  return `must be no more than ${limit} characters`;
}

function bounded(value: string, pattern: RegExp, message: string, limit: number): readonly string[] {
  const short = value.length <= limit && (value.length * 3 <= limit || byteLength(value) <= limit);
  const matches = pattern.test(value);
  if (short) return matches ? none : [message];
  return matches ? [maxLengthMessage(limit)] : [maxLengthMessage(limit), message];
}

export function isDns1123Label(value: string): readonly string[] {
  const errors = bounded(value, dns1123Label, labelMessage, 63);
  // A subdomain that is no label has dots, apart from its length.
  return errors.length > 0 && !dns1123Label.test(value) && dns1123Subdomain.test(value)
    ? [...errors.slice(0, -1), 'must not contain dots']
    : errors;
}

export function isDns1123Subdomain(value: string): readonly string[] {
  return bounded(value, dns1123Subdomain, subdomainMessage, 253);
}

/** Like isDns1123Subdomain, but underscores may stand anywhere (RelaxedDNSSearchValidation). */
export function isDns1123SubdomainWithUnderscore(value: string): readonly string[] {
  return bounded(value, dns1123SubdomainLoose, looseSubdomainMessage, 253);
}

export function isDns1035Label(value: string): readonly string[] {
  return bounded(value, dns1035Label, label1035Message, 63);
}

export function isWildcardDns1123Subdomain(value: string): readonly string[] {
  return bounded(value, wildcardSubdomain, wildcardMessage, 253);
}

/** validation.IsQualifiedName, IsLabelKey: `prefix/name` or `name`. */
export function isQualifiedName(value: string): readonly string[] {
  const slash = value.indexOf('/');
  if (slash < 0 && value.length <= 63 && qualifiedNamePart.test(value)) return none;
  if (
    slash > 0 &&
    slash <= 253 &&
    value.length - slash <= 64 &&
    qualifiedNamePart.test(value.slice(slash + 1)) &&
    dns1123Subdomain.test(value.slice(0, slash))
  ) {
    return none;
  }
  return qualifiedNameErrors(value);
}

function qualifiedNameErrors(value: string): readonly string[] {
  const errors: string[] = [];
  const parts = value.split('/');
  if (parts.length > 2) {
    return [`a valid label key ${qualifiedNameMessage} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const name = parts.at(-1) ?? '';
  const prefix = parts.length === 2 ? parts[0] : undefined;
  if (prefix !== undefined) {
    if (prefix.length === 0) errors.push('prefix part must be non-empty');
    else if (prefix.length > 253) errors.push('prefix part must be no more than 253 bytes');
    else if (!dns1123Subdomain.test(prefix)) errors.push(`prefix part ${subdomainMessage}`);
  }
  if (name.length === 0) errors.push('name part must be non-empty');
  else if (name.length > 63) errors.push('name part must be no more than 63 bytes');
  if (!qualifiedNamePart.test(name)) errors.push(`name part ${qualifiedNameMessage}`);
  return errors;
}

/** validation.IsValidLabelValue. */
export function isLabelValue(value: string): readonly string[] {
  const short = value.length <= 63;
  const matches = labelValue.test(value);
  if (short && matches) return none;
  return [...(short ? [] : ['must be no more than 63 bytes']), ...(matches ? [] : [labelValueMessage])];
}

/** validation.IsConfigMapKey. */
export function isConfigMapKey(value: string): readonly string[] {
  const messages: string[] = [];
  if (value.length > 253) messages.push(maxLengthMessage(253));
  if (!/^[-._a-zA-Z0-9]+$/.test(value)) messages.push(configKeyMessage);
  else if (value === '.' || value === '..') messages.push(`must not be '${value}'`);
  else if (value.startsWith('..')) messages.push(`must not start with '..'`);
  return messages;
}

/** validation.IsValidPortName: IANA_SVC_NAME. */
export function isPortName(value: string): readonly string[] {
  if (value.length <= 15 && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(value) && /[a-z]/.test(value)) return none;
  const messages: string[] = [];
  if (value.length > 15) messages.push(maxLengthMessage(15));
  if (!/^[-a-z0-9]+$/.test(value)) messages.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(value)) messages.push('must contain at least one letter (a-z)');
  if (value.includes('--')) messages.push('must not contain consecutive hyphens');
  if (value.length > 0 && (value.startsWith('-') || value.endsWith('-'))) messages.push('must not begin or end with a hyphen');
  return messages;
}

/** validation.IsHTTPHeaderName. */
export function isHttpHeaderName(value: string): readonly string[] {
  return /^[-A-Za-z0-9]+$/.test(value) ? none : [headerMessage];
}

/** validation.IsCIdentifier. */
export function isCIdentifier(value: string): readonly string[] {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(value) ? none : [cIdentifierMessage];
}

/** validation.IsRelaxedEnvVarName: printable ASCII except '='. */
export function isEnvVarName(value: string): readonly string[] {
  if (value.length === 0) return ['environment variable name must be non-empty'];
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x20 || code > 0x7e || code === 0x3d) {
      return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
    }
  }
  return none;
}

/** validation.IsValidPercent. */
export function isPercent(value: string): readonly string[] {
  return /^[0-9]+%$/.test(value) ? none : [percentMessage];
}

/** path.ValidatePathSegmentName: what may stand as one segment of a URL path. */
export function isPathSegment(name: string, prefix = false): readonly string[] {
  const messages: string[] = [];
  if (!prefix && (name === '.' || name === '..')) return [`may not be '${name}'`];
  if (name.includes('/')) messages.push(`may not contain '/'`);
  if (name.includes('%')) messages.push(`may not contain '%'`);
  return messages;
}

/** How a kind checks its name. `prefix`: the value is a generateName, to which something will be appended. */
export type NameRule = (name: string, prefix: boolean) => readonly string[];

/** A generateName may end in a dash: mask it before checking (maskTrailingDash). */
function masked(name: string, prefix: boolean): string {
  return prefix && name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;
}

/** apimachinery NameIsDNSSubdomain. */
export const nameIsDnsSubdomain: NameRule = (name, prefix) => isDns1123Subdomain(masked(name, prefix));
/** apimachinery NameIsDNSLabel. */
export const nameIsDnsLabel: NameRule = (name, prefix) => isDns1123Label(masked(name, prefix));
/** apimachinery NameIsDNS1035Label. */
export const nameIsDns1035Label: NameRule = (name, prefix) => isDns1035Label(masked(name, prefix));
/** rbac ValidateRBACName. */
export const nameIsPathSegment: NameRule = (name, prefix) => isPathSegment(name, prefix);
