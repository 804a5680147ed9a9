/** The beginning of a recorded scenario: `name` and `category` stand first, so a file that was cut off is still known. */
const beginning = /^\s*\{\s*"name"\s*:\s*"[^"]*"\s*,\s*"category"\s*:\s*"([^"]*)"/;

/** A recorded scenario's category, or undefined where a text is none. */
export function scenarioCategory(text: string): string | undefined {
  const head = beginning.exec(text);
  if (head !== null) return head[1];
  const value = parsed(text);
  return typeof value?.['category'] === 'string' && typeof value['name'] === 'string' ? value['category'] : undefined;
}

/** Whether a scenario's text has a field, told without parsing all of it. */
export function scenarioHas(text: string, field: string): boolean {
  return text.includes(`"${field}":`);
}

/** A scenario as an object. @throws Error where it cannot be read or lacks one of the fields */
export function parseScenario(text: string, fields: readonly string[]): Readonly<Record<string, unknown>> {
  const value = JSON.parse(text) as Readonly<Record<string, unknown>>;
  const missing = fields.filter((field) => value[field] === undefined);
  if (missing.length > 0) throw new Error(`the scenario has no ${missing.join(', ')}`);
  return value;
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}
