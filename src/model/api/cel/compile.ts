import { type ASTNode, Environment, ParseError } from '@marcbachmann/cel-js';
import { type Checked, Checker } from './checker.ts';
import { Evaluator, type Variables } from './evaluator.ts';
import { type Issue, issuesText } from './source.ts';
import { syntaxErrors } from './syntax-errors.ts';
import type { CelType } from './type.ts';
import { CelFailure, type Value } from './value.ts';

/** What came of one evaluation. */
export type Outcome = { readonly value: Value; readonly units: number } | { readonly error: string; readonly units: number };

/** A checked expression. */
export interface Program {
  readonly type: CelType;
  readonly ast: ASTNode;
  readonly checked: Checked;
  readonly run: (variables: Variables, unitsMax?: number) => Outcome;
}

export type Compiled = { readonly program: Program } | { readonly issues: string };

/** Upstream celconfig.PerCallLimit. */
export const unitsPerCallMax = 1_000_000;

/** Deeper and longer than the library's own limits: upstream has none but a recursion depth of 250. */
const parser = new Environment({
  enableOptionalTypes: true,
  unlistedVariablesAreDyn: true,
  limits: { maxAstNodes: 1_000_000, maxDepth: 250, maxListElements: 100_000, maxMapEntries: 100_000, maxCallArguments: 1_000 },
});

/** Parses and checks an expression in an environment of variables. */
export function compile(text: string, variables: ReadonlyMap<string, CelType>): Compiled {
  const parsed = parse(text);
  if ('issues' in parsed) return { issues: issuesText(text, parsed.issues) };
  const { ast } = parsed;
  const checker = new Checker(variables);
  const checked = checker.check(ast);
  if (checker.issues.length > 0) return { issues: issuesText(text, checker.issues) };
  const run = (values: Variables, unitsMax = unitsPerCallMax): Outcome => {
    const evaluator = new Evaluator(checked, values, unitsMax);
    try {
      return { value: evaluator.run(ast), units: evaluator.units };
    } catch (error) {
      if (!(error instanceof CelFailure)) throw error;
      return { error: error.message, units: evaluator.units };
    }
  };
  return { program: { type: checked.type, ast, checked, run } };
}

function parse(text: string): { readonly ast: ASTNode } | { readonly issues: readonly Issue[] } {
  try {
    return { ast: parser.parse(text).ast };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const offset = error.range?.start ?? 0;
    if (error.code === 'invalid_macro_argument') return { issues: [{ offset, message: macroMessage(error.summary) }] };
    if (error.code === 'reserved_identifier')
      return { issues: [{ offset, message: `reserved identifier: ${error.summary.replace(/^.*: /, '')}` }] };
    const issues = syntaxErrors(text);
    return { issues: issues.length > 0 ? issues : [{ offset, message: `Syntax error: ${error.summary}` }] };
  }
}

function macroMessage(summary: string): string {
  return summary.startsWith('invalid variable') ? 'cel.bind() variable names must be simple identifiers' : 'argument must be a simple name';
}
