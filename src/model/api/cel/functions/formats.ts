import {
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isLabelValue,
  isQualifiedName,
  nameIsDns1035Label,
  nameIsDnsLabel,
  nameIsDnsSubdomain,
} from '../../validation/names.ts';
import { fail, none, noSuchOverload, Opaque, Optional, readTimestamp } from '../value.ts';
import { type CelFunction, textAt } from './call.ts';

type Check = (text: string) => readonly string[];

const uuidPattern = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;
const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The formats of `format.named`: upstream `library/format.go`. */
const checks: Readonly<Record<string, Check>> = {
  dns1123Label: isDns1123Label,
  dns1123Subdomain: isDns1123Subdomain,
  dns1035Label: isDns1035Label,
  qualifiedName: isQualifiedName,
  dns1123LabelPrefix: (text) => nameIsDnsLabel(text, true),
  dns1123SubdomainPrefix: (text) => nameIsDnsSubdomain(text, true),
  dns1035LabelPrefix: (text) => nameIsDns1035Label(text, true),
  labelValue: isLabelValue,
  uri: (text) => (/^(?:[a-zA-Z][a-zA-Z0-9+.-]*:|\/)\S*$/.test(text) ? [] : [`parse ${JSON.stringify(text)}: invalid URI for request`]),
  uuid: (text) => (uuidPattern.test(text) ? [] : ['does not match the UUID format']),
  byte: (text) => (base64Pattern.test(text) ? [] : ['invalid base64']),
  date: (text) => (/^\d{4}-\d\d-\d\d$/.test(text) && readTimestamp(`${text}T00:00:00Z`) !== undefined ? [] : ['invalid date']),
  datetime: (text) => (readTimestamp(text) === undefined ? ['invalid datetime'] : []),
};

class NamedFormat extends Opaque {
  readonly typeName = 'kubernetes.NamedFormat';
  readonly name: string;
  constructor(name: string) {
    super();
    this.name = name;
  }
  equals(other: Opaque): boolean {
    return other instanceof NamedFormat && other.name === this.name;
  }
}

export const formatFunctions: Readonly<Record<string, CelFunction>> = {
  ...Object.fromEntries(Object.keys(checks).map((name) => [`format.${name}`, () => new NamedFormat(name)])),
  'format.named': (call) => {
    const name = textAt(call, 0);
    return Object.hasOwn(checks, name) ? new Optional(new NamedFormat(name)) : none;
  },
  validate: (call) => {
    const [format] = call.arguments;
    if (!(format instanceof NamedFormat)) return fail(noSuchOverload);
    const problems = checks[format.name]?.(textAt(call, 1)) ?? [];
    return problems.length === 0 ? none : new Optional(problems);
  },
};
