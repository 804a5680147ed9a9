import type { ErrorObject } from 'ajv';
import { nearest, type Problem } from './user-error.ts';
import type { PathStep, SourceDocument } from './yaml-source.ts';

/** Turns schema violations into problems at lines, with what would be right. */
export function schemaProblems(
  document: SourceDocument,
  errors: readonly ErrorObject[],
  schema: 'scenario' | 'trial' = 'scenario',
): readonly Problem[] {
  // A failed `oneOf` also reports each branch; the branches say nothing that a reader needs.
  const told = errors.filter(
    (error) => !errors.some((other) => other.keyword === 'oneOf' && other !== error && error.schemaPath.startsWith(`${other.schemaPath}/`)),
  );
  const problems = told.map((error) => problemOf(document, error, schema));
  return problems.filter((p, i) => problems.findIndex((q) => q.line === p.line && q.column === p.column && q.what === p.what) === i);
}

function problemOf(document: SourceDocument, error: ErrorObject, schema: string): Problem {
  const path = error.instancePath.split('/').slice(1).map(unescapePointer);
  const here = path.length === 0 ? 'the file' : path.join('.');
  const at = (key?: string) => document.place(path, key);
  switch (error.keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const key = String(error.params['additionalProperty'] ?? error.params['unevaluatedProperty']);
      const known = Object.keys((error.parentSchema as { properties?: object } | undefined)?.properties ?? {});
      const near = nearest(key, known);
      const right = near === undefined ? `known keys: ${known.join(', ')}` : `did you mean ${near}? Known keys: ${known.join(', ')}`;
      return { file: document.file, ...at(key), what: `unknown key ${key}`, right };
    }
    case 'required':
      return {
        file: document.file,
        ...at(),
        what: `${here} has no ${String(error.params['missingProperty'])}`,
        right: `add the key ${String(error.params['missingProperty'])}`,
      };
    case 'pattern': {
      const title = (error.parentSchema as { title?: string } | undefined)?.title;
      return {
        file: document.file,
        ...at(),
        what: `${here} is ${JSON.stringify(error.data)}`,
        right: `must be ${title ?? `text that matches ${String(error.params['pattern'])}`}`,
      };
    }
    case 'type': {
      const title = (error.parentSchema as { title?: string } | undefined)?.title;
      return {
        file: document.file,
        ...at(),
        what: `${here} is ${describe(error.data)}`,
        right: `must be ${path.length === 0 ? 'a mapping' : (title ?? typeWords(error.params['type']))}`,
      };
    }
    case 'enum':
    case 'const': {
      const allowed = (error.params['allowedValues'] as unknown[] | undefined) ?? [error.params['allowedValue']];
      return {
        file: document.file,
        ...at(),
        what: `${here} is ${describe(error.data)}`,
        right: `must be ${allowed.map((v) => JSON.stringify(v)).join(' or ')}`,
      };
    }
    case 'oneOf':
      return {
        file: document.file,
        ...at(),
        what: `${here} is ${describe(error.data)}`,
        right: `must be one of the forms in docs/${schema}.schema.json`,
      };
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum': {
      const { minimum, maximum, exclusiveMinimum } = error.parentSchema as {
        minimum?: number;
        maximum?: number;
        exclusiveMinimum?: number;
      };
      const low = minimum === undefined ? `above ${exclusiveMinimum ?? 0}` : `at least ${minimum}`;
      return {
        file: document.file,
        ...at(),
        what: `${here} is ${describe(error.data)}`,
        right: `must be ${low}${maximum === undefined ? '' : ` and at most ${maximum}`}`,
      };
    }
    case 'uniqueItems':
      return { file: document.file, ...at(), what: `${here} names one thing twice`, right: 'name each once' };
    default:
      return { file: document.file, ...at(), what: `${here} ${error.message ?? 'is not valid'}`, right: `see docs/${schema}.schema.json` };
  }
}

function unescapePointer(step: string): PathStep {
  const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
  return /^\d+$/.test(key) ? Number(key) : key;
}

/** A type of JSON in the words of YAML. */
function typeWords(type: unknown): string {
  const words: Readonly<Record<string, string>> = {
    object: 'a mapping',
    array: 'a list',
    string: 'a text',
    integer: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
    null: 'empty',
  };
  return [type]
    .flat()
    .map((t) => words[String(t)] ?? String(t))
    .join(' or ');
}

function describe(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return JSON.stringify(value);
}
