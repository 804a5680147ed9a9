import {
  bool,
  bytes,
  type CelType,
  double,
  duration,
  dyn,
  int,
  list,
  map,
  nullType,
  opaque,
  string,
  timestamp,
  typeType,
  uint,
} from './type.ts';

/** One form of a function: its parameters, the receiver first where it is called as a method. */
export interface Overload {
  readonly isMethod: boolean;
  readonly parameters: readonly CelType[];
  readonly result: CelType;
}

const named: Readonly<Record<string, CelType>> = {
  dyn,
  bool,
  int,
  uint,
  double,
  string,
  bytes,
  null_type: nullType,
  timestamp,
  duration,
  type: typeType,
};

/** Short names of Kubernetes's own types. */
const own: Readonly<Record<string, string>> = {
  Quantity: 'kubernetes.Quantity',
  URL: 'kubernetes.URL',
  IP: 'net.IP',
  CIDR: 'net.CIDR',
  Semver: 'kubernetes.Semver',
  NamedFormat: 'kubernetes.NamedFormat',
  Authorizer: 'kubernetes.authorization.Authorizer',
  PathCheck: 'kubernetes.authorization.PathCheck',
  GroupCheck: 'kubernetes.authorization.GroupCheck',
  ResourceCheck: 'kubernetes.authorization.ResourceCheck',
  Decision: 'kubernetes.authorization.Decision',
};

/**
 * The functions of the environment of Kubernetes 1.35, one text for each: its name, then its overloads. A method has its receiver before
 * a dot. Answers to cel-go's standard library with cross-type comparisons, its extensions for strings, sets and two variables, and to
 * `apiserver/pkg/cel/library`.
 */
const texts: readonly string[] = [
  '_?_:_ (bool, A, A)A',
  '_&&_ (bool, bool)bool',
  '_||_ (bool, bool)bool',
  '!_ (bool)bool',
  '-_ (double)double (int)int',
  '_==_ (A, A)bool',
  '_!=_ (A, A)bool',
  ...['_<_', '_<=_', '_>_', '_>=_'].map(
    (name) =>
      `${name} (bool, bool)bool (bytes, bytes)bool (double, double)bool (double, int)bool (double, uint)bool (duration, duration)bool (int, int)bool (int, double)bool (int, uint)bool (string, string)bool (timestamp, timestamp)bool (uint, uint)bool (uint, double)bool (uint, int)bool`,
  ),
  '_+_ (bytes, bytes)bytes (double, double)double (duration, duration)duration (duration, timestamp)timestamp (int, int)int (list(A), list(A))list(A) (string, string)string (timestamp, duration)timestamp (uint, uint)uint',
  '_-_ (double, double)double (duration, duration)duration (int, int)int (timestamp, duration)timestamp (timestamp, timestamp)duration (uint, uint)uint',
  '_*_ (double, double)double (int, int)int (uint, uint)uint',
  '_/_ (double, double)double (int, int)int (uint, uint)uint',
  '_%_ (int, int)int (uint, uint)uint',
  '@in (A, list(A))bool (A, map(A, B))bool',
  '_[_] (list(A), int)A (map(A, B), A)B (optional_type(list(A)), int)optional_type(A) (optional_type(map(A, B)), A)optional_type(B)',
  '_[?_] (list(A), int)optional_type(A) (optional_type(list(A)), int)optional_type(A) (map(A, B), A)optional_type(B) (optional_type(map(A, B)), A)optional_type(B)',
  'size (bytes)int (list(A))int (map(A, B))int (string)int bytes.()int list(A).()int map(A, B).()int string.()int',
  'bool (bool)bool (string)bool',
  'bytes (bytes)bytes (string)bytes',
  'double (double)double (int)double (string)double (uint)double',
  'duration (duration)duration (int)duration (string)duration',
  'dyn (A)dyn',
  'int (int)int (double)int (duration)int (string)int (timestamp)int (uint)int',
  'string (string)string (bool)string (bytes)string (double)string (duration)string (int)string (timestamp)string (uint)string',
  'timestamp (timestamp)timestamp (int)timestamp (string)timestamp',
  'type (A)type',
  'uint (uint)uint (double)uint (int)uint (string)uint',
  'contains string.(string)bool',
  'endsWith string.(string)bool',
  'startsWith string.(string)bool',
  'matches (string, string)bool string.(string)bool',
  ...['getFullYear', 'getMonth', 'getDayOfYear', 'getDate', 'getDayOfMonth', 'getDayOfWeek'].map(
    (name) => `${name} timestamp.()int timestamp.(string)int`,
  ),
  ...['getHours', 'getMinutes', 'getSeconds', 'getMilliseconds'].map(
    (name) => `${name} timestamp.()int timestamp.(string)int duration.()int`,
  ),
  // Optional values.
  'optional.of (A)optional_type(A)',
  'optional.ofNonZeroValue (A)optional_type(A)',
  'optional.none ()optional_type(A)',
  'value optional_type(A).()A',
  'hasValue optional_type(A).()bool',
  'or optional_type(A).(optional_type(A))optional_type(A)',
  'orValue optional_type(A).(A)A',
  // Strings, version 2.
  'charAt string.(int)string',
  'indexOf string.(string)int string.(string, int)int list(A).(A)int',
  'lastIndexOf string.(string)int string.(string, int)int list(A).(A)int',
  'join list(string).()string list(string).(string)string',
  'lowerAscii string.()string',
  'upperAscii string.()string',
  'replace string.(string, string)string string.(string, string, int)string',
  'split string.(string)list(string) string.(string, int)list(string)',
  'substring string.(int)string string.(int, int)string',
  'trim string.()string',
  'format string.(list(dyn))string',
  'strings.quote (string)string',
  'reverse string.()string list(A).()list(A)',
  // Sets.
  'sets.contains (list(A), list(A))bool',
  'sets.equivalent (list(A), list(A))bool',
  'sets.intersects (list(A), list(A))bool',
  // Lists of Kubernetes.
  `isSorted ${['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes'].map((name) => `list(${name}).()bool`).join(' ')}`,
  `sum ${['int', 'uint', 'double', 'duration'].map((name) => `list(${name}).()${name}`).join(' ')}`,
  ...['min', 'max'].map(
    (name) =>
      `${name} ${['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes'].map((of) => `list(${of}).()${of}`).join(' ')}`,
  ),
  // Regular expressions.
  'find string.(string)string',
  'findAll string.(string)list(string) string.(string, int)list(string)',
  // URLs.
  'url (string)URL',
  'isURL (string)bool',
  ...['getScheme', 'getHost', 'getHostname', 'getPort', 'getEscapedPath'].map((name) => `${name} URL.()string`),
  'getQuery URL.()map(string, list(string))',
  // Quantities.
  'quantity (string)Quantity',
  'isQuantity (string)bool',
  'sign Quantity.()int',
  'isInteger Quantity.()bool',
  'asInteger Quantity.()int',
  'asApproximateFloat Quantity.()double',
  'add Quantity.(Quantity)Quantity Quantity.(int)Quantity',
  'sub Quantity.(Quantity)Quantity Quantity.(int)Quantity',
  'isGreaterThan Quantity.(Quantity)bool Semver.(Semver)bool',
  'isLessThan Quantity.(Quantity)bool Semver.(Semver)bool',
  'compareTo Quantity.(Quantity)int Semver.(Semver)int',
  // Addresses.
  'ip (string)IP CIDR.()IP',
  'isIP (string)bool',
  'ip.isCanonical (string)bool',
  'family IP.()int',
  ...['isUnspecified', 'isLoopback', 'isLinkLocalMulticast', 'isLinkLocalUnicast', 'isGlobalUnicast'].map((name) => `${name} IP.()bool`),
  'cidr (string)CIDR',
  'isCIDR (string)bool',
  'containsIP CIDR.(IP)bool CIDR.(string)bool',
  'containsCIDR CIDR.(CIDR)bool CIDR.(string)bool',
  'masked CIDR.()CIDR',
  'prefixLength CIDR.()int',
  // Formats.
  'format.named (string)optional_type(NamedFormat)',
  ...[
    'dns1123Label',
    'dns1123Subdomain',
    'dns1035Label',
    'qualifiedName',
    'dns1123LabelPrefix',
    'dns1123SubdomainPrefix',
    'dns1035LabelPrefix',
    'labelValue',
    'uri',
    'uuid',
    'byte',
    'date',
    'datetime',
  ].map((name) => `format.${name} ()NamedFormat`),
  'validate NamedFormat.(string)optional_type(list(string))',
  // Versions.
  'semver (string)Semver (string, bool)Semver',
  'isSemver (string)bool (string, bool)bool',
  ...['major', 'minor', 'patch'].map((name) => `${name} Semver.()int`),
  // Authorization.
  'path Authorizer.(string)PathCheck',
  'group Authorizer.(string)GroupCheck',
  'serviceAccount Authorizer.(string, string)Authorizer',
  'resource GroupCheck.(string)ResourceCheck',
  'subresource ResourceCheck.(string)ResourceCheck',
  'namespace ResourceCheck.(string)ResourceCheck',
  'name ResourceCheck.(string)ResourceCheck',
  'fieldSelector ResourceCheck.(string)ResourceCheck',
  'labelSelector ResourceCheck.(string)ResourceCheck',
  'check PathCheck.(string)Decision ResourceCheck.(string)Decision',
  'errored Decision.()bool',
  'error Decision.()string',
  'allowed Decision.()bool',
  'reason Decision.()string',
];

/** Reads a type from `text` at a position; answers it and the position behind it. */
function readType(text: string, start: number): readonly [CelType, number] {
  let end = start;
  while (/[\w]/.test(text[end] ?? '')) end++;
  const name = text.slice(start, end);
  if (text[end] !== '(') {
    if (/^[A-Z]$/.test(name)) return [{ kind: 'param', name }, end];
    const full = own[name];
    return [full === undefined ? (named[name] ?? dyn) : opaque(full), end];
  }
  const [parts, after] = readTypes(text, end);
  const [first = dyn, second = dyn] = parts;
  if (name === 'list') return [list(first), after];
  if (name === 'map') return [map(first, second), after];
  return [opaque(name, ...parts), after];
}

/** Reads `(T, T)`. */
function readTypes(text: string, start: number): readonly [readonly CelType[], number] {
  const types: CelType[] = [];
  let at = start + 1;
  while (text[at] !== ')') {
    const [type, after] = readType(text, at);
    types.push(type);
    at = text[after] === ',' ? after + 2 : after;
  }
  return [types, at + 1];
}

function readOverloads(text: string): readonly Overload[] {
  const overloads: Overload[] = [];
  let at = 0;
  while (at < text.length) {
    let receiver: CelType | undefined;
    if (text[at] !== '(') {
      const [type, after] = readType(text, at);
      receiver = type;
      at = after + 1;
    }
    const [parameters, afterParameters] = readTypes(text, at);
    const [result, after] = readType(text, afterParameters);
    overloads.push({
      isMethod: receiver !== undefined,
      parameters: receiver === undefined ? parameters : [receiver, ...parameters],
      result,
    });
    at = after + 1;
  }
  return overloads;
}

/** The declared functions by name. */
export const functions: ReadonlyMap<string, readonly Overload[]> = new Map(
  texts.map((text) => {
    const space = text.indexOf(' ');
    return [text.slice(0, space), readOverloads(text.slice(space + 1))];
  }),
);

/** Names that stand for a type where a value is expected, as in `type(x) == int`. */
export const typeNames: ReadonlySet<string> = new Set([
  ...Object.keys(named).filter((name) => name !== 'dyn' && name !== 'timestamp' && name !== 'duration'),
  'list',
  'map',
  'dyn',
  'optional_type',
  'google.protobuf.Timestamp',
  'google.protobuf.Duration',
  ...Object.values(own),
]);
