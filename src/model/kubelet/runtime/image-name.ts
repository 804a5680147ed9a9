/** Names of images: upstream github.com/distribution/reference, as far as the kubelet and its runtimes need it. */
export interface ImageName {
  /** Full name with registry: 'docker.io/library/nginx'. */
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const domainPart = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::\d+)?$/;
const tagShape = /^\w[\w.-]{0,127}$/;
const digestShape = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

/** Parses an image's name; a text where it is none. */
export function parseImageName(text: string): ImageName | string {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const beforeDigest = at < 0 ? text : text.slice(0, at);
  const lastSlash = beforeDigest.lastIndexOf('/');
  const colon = beforeDigest.indexOf(':', lastSlash + 1);
  const tag = colon < 0 ? undefined : beforeDigest.slice(colon + 1);
  const name = colon < 0 ? beforeDigest : beforeDigest.slice(0, colon);
  if (name === '' || (tag !== undefined && !tagShape.test(tag)) || (digest !== undefined && !digestShape.test(digest)))
    return 'invalid reference format';
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const hasDomain = first !== '' && (first.includes('.') || first.includes(':') || first === 'localhost' || first !== first.toLowerCase());
  const domain = hasDomain ? first : 'docker.io';
  const path = hasDomain ? name.slice(slash + 1) : name;
  if (path !== path.toLowerCase()) return `invalid reference format: repository name (${path}) must be lowercase`;
  if (hasDomain && !domainPart.test(domain)) return 'invalid reference format';
  if (!path.split('/').every((part) => component.test(part))) {
    return path !== path.toLowerCase()
      ? `invalid reference format: repository name (${path}) must be lowercase`
      : 'invalid reference format';
  }
  const full = !hasDomain && !path.includes('/') ? `library/${path}` : path;
  return { repository: `${domain}/${full}`, tag, digest };
}

/** The name with its default tag, as runtimes store it: 'docker.io/library/nginx:latest'. The text itself where it is no name. */
export function canonicalImage(text: string): string {
  const name = parseImageName(text);
  if (typeof name === 'string') return text;
  if (name.digest !== undefined) return `${name.repository}@${name.digest}`;
  return `${name.repository}:${name.tag ?? 'latest'}`;
}
