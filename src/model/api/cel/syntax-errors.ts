import type { Issue } from './source.ts';

/**
 * What ANTLR's default error strategy says of a text that is no expression. The library that parses stops at its own first complaint in
 * its own words; the API server answers those of the parser generated from cel-go's grammar, which go on after a mistake. This recogniser
 * walks the same grammar (start: expr EOF) and reports as that parser does: single tokens are skipped or thought in, else the
 * rule is left.
 */
export function syntaxErrors(text: string): readonly Issue[] {
  const { tokens, issues } = tokenize(text);
  new Recogniser(tokens, issues).start();
  return issues;
}

interface Token {
  readonly type: string;
  readonly text: string;
  readonly offset: number;
}

/** Token types in the order of the grammar, in which sets of expected tokens are listed. */
const order = [
  "'=='",
  "'!='",
  "'in'",
  "'<'",
  "'<='",
  "'>='",
  "'>'",
  "'&&'",
  "'||'",
  "'['",
  "']'",
  "'{'",
  "'}'",
  "'('",
  "')'",
  "'.'",
  "','",
  "'-'",
  "'!'",
  "'?'",
  "':'",
  "'+'",
  "'*'",
  "'/'",
  "'%'",
  "'true'",
  "'false'",
  "'null'",
  'NUM_FLOAT',
  'NUM_INT',
  'NUM_UINT',
  'STRING',
  'BYTES',
  'IDENTIFIER',
  'ESC_IDENTIFIER',
];
const end = '<EOF>';
const literals = ["'true'", "'false'", "'null'", 'NUM_FLOAT', 'NUM_INT', 'NUM_UINT', 'STRING', 'BYTES'];
const operandStart: ReadonlySet<string> = new Set(["'['", "'{'", "'('", "'.'", "'-'", "'!'", 'IDENTIFIER', ...literals]);
const relations: ReadonlySet<string> = new Set(["'=='", "'!='", "'in'", "'<'", "'<='", "'>='", "'>'"]);
const sums: ReadonlySet<string> = new Set(["'+'", "'-'"]);
const products: ReadonlySet<string> = new Set(["'*'", "'/'", "'%'"]);

/** What may follow an operand inside any expression. */
const continuation: ReadonlySet<string> = new Set([...relations, ...sums, ...products, "'&&'", "'||'", "'?'", "'.'", "'['"]);

const patterns: readonly (readonly [RegExp, string])[] = [
  [/^(?:[\t \r\n\f]+|\/\/[^\n]*)/, ''],
  [/^[bB](?:[rR]?)(?:"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\\n\r])*"|'(?:\\.|[^'\\\n\r])*')/, 'BYTES'],
  [/^[rR](?:"""[\s\S]*?"""|'''[\s\S]*?'''|"[^"\n\r]*"|'[^'\n\r]*')/, 'STRING'],
  [/^(?:"""(?:\\[\s\S]|[^\\])*?"""|'''(?:\\[\s\S]|[^\\])*?'''|"(?:\\.|[^"\\\n\r])*"|'(?:\\.|[^'\\\n\r])*')/, 'STRING'],
  [/^(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)/, 'NUM_FLOAT'],
  [/^(?:0x[0-9a-fA-F]+|\d+)[uU]/, 'NUM_UINT'],
  [/^(?:0x[0-9a-fA-F]+|\d+)/, 'NUM_INT'],
  [/^[A-Za-z_][A-Za-z_0-9]*/, 'IDENTIFIER'],
  [/^(?:==|!=|<=|>=|&&|\|\||[<>[\]{}().,\-!?:+*/%])/, 'SIGN'],
];
const words = new Set(['in', 'true', 'false', 'null']);

function tokenize(text: string): { readonly tokens: readonly Token[]; readonly issues: Issue[] } {
  const tokens: Token[] = [];
  const issues: Issue[] = [];
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const found = patterns.map(([pattern, type]) => [pattern.exec(rest)?.[0], type] as const).find(([match]) => match !== undefined);
    if (found === undefined) {
      const bad = badText(rest);
      issues.push({ offset: at, message: `Syntax error: token recognition error at: '${escaped(bad)}'` });
      at += bad.length;
      continue;
    }
    const [match = '', type] = found;
    if (type !== '') tokens.push({ type: type === 'SIGN' || words.has(match) ? `'${match}'` : type, text: match, offset: at });
    at += match.length;
  }
  tokens.push({ type: end, text: end, offset: text.length });
  return { tokens, issues };
}

/** What the lexer reads before it gives up: one character, or a whole string without its end, or an operator and what it saw instead of its second half. */
function badText(rest: string): string {
  const quote = /^[bBrR]{0,2}(["'])/.exec(rest);
  if (quote !== null) return rest.split('\n')[0] ?? rest;
  if (/^[&|=]/.test(rest)) return rest.slice(0, 2);
  return String.fromCodePoint(rest.codePointAt(0) ?? 0);
}

function escaped(text: string): string {
  return text.replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t');
}

/** Thrown to leave a rule; it has been reported. */
class LeaveRule extends Error {}

class Recogniser {
  private readonly tokens: readonly Token[];
  private readonly issues: Issue[];
  private at = 0;
  /** What may follow each rule that is open, innermost last. */
  private readonly following: ReadonlySet<string>[] = [];
  /** ANTLR is quiet after a report until a token has been matched. */
  private isRecovering = false;

  constructor(tokens: readonly Token[], issues: Issue[]) {
    this.tokens = tokens;
    this.issues = issues;
  }

  start(): void {
    this.rule(new Set([end]), () => this.expression());
    try {
      this.match(end);
    } catch (error) {
      if (!(error instanceof LeaveRule)) throw error;
    }
  }

  private get token(): Token {
    return this.tokens[this.at] as Token;
  }

  private is(type: string): boolean {
    return this.token.type === type;
  }

  private get next(): Token {
    return this.tokens[Math.min(this.at + 1, this.tokens.length - 1)] as Token;
  }

  private report(message: string): void {
    if (!this.isRecovering) this.issues.push({ offset: this.token.offset, message: `Syntax error: ${message}` });
    this.isRecovering = true;
  }

  private advance(): void {
    this.at = Math.min(this.at + 1, this.tokens.length - 1);
    this.isRecovering = false;
  }

  /** Runs a rule; when it is left, tokens are skipped up to one that some open rule can go on with. */
  private rule(follow: ReadonlySet<string>, body: () => void): void {
    this.following.push(follow);
    try {
      body();
    } catch (error) {
      if (!(error instanceof LeaveRule)) throw error;
      while (this.token.type !== end && !continuation.has(this.token.type) && !this.following.some((set) => set.has(this.token.type)))
        this.at++;
    } finally {
      this.following.pop();
    }
  }

  private match(type: string): void {
    if (this.token.type === type) return this.advance();
    if (this.next.type === type && this.token.type !== end) {
      this.report(`extraneous input '${this.token.text}' expecting ${type}`);
      this.at++;
      return this.advance();
    }
    if (type !== end && this.couldFollow(type)) {
      // Taken as if it were there.
      this.report(`missing ${type} at '${this.token.text}'`);
      return;
    }
    this.report(`mismatched input '${this.token.text}' expecting ${type}`);
    throw new LeaveRule();
  }

  /** Whether the current token may stand behind a missing closing bracket or colon. */
  private couldFollow(type: string): boolean {
    if (type === "':'") return operandStart.has(this.token.type);
    if (type === 'IDENTIFIER') return false;
    return continuation.has(this.token.type) || this.following.some((set) => set.has(this.token.type));
  }

  /** Before a choice: the token must be one of those expected, or one stray token stands before it. */
  private sync(expected: ReadonlySet<string>): void {
    if (expected.has(this.token.type)) return;
    if (this.token.type !== end && expected.has(this.next.type)) {
      this.report(`extraneous input '${this.token.text}' expecting ${setText(expected)}`);
      this.at++;
      this.isRecovering = false;
      return;
    }
    this.report(`mismatched input '${this.token.text}' expecting ${setText(expected)}`);
    throw new LeaveRule();
  }

  private expression(): void {
    this.operators();
    if (!this.is("'?'")) return;
    this.advance();
    this.rule(new Set(["':'"]), () => this.operators());
    this.match("':'");
    this.rule(new Set(), () => this.expression());
  }

  /** Operands and binary operators; their precedence does not matter for what is an error. */
  private operators(): void {
    for (;;) {
      this.rule(new Set(), () => this.operand());
      const { type } = this.token;
      if (!(relations.has(type) || sums.has(type) || products.has(type) || type === "'&&'" || type === "'||'")) return;
      this.advance();
    }
  }

  private operand(): void {
    this.sync(operandStart);
    if (this.is("'!'") || this.is("'-'")) {
      const sign = this.token.type;
      while (this.is(sign)) this.advance();
    }
    this.primary();
    for (;;) {
      if (this.is("'.'")) {
        this.advance();
        if (this.is("'?'")) this.advance();
        this.sync(new Set(this.is("'?'") ? ['IDENTIFIER', 'ESC_IDENTIFIER'] : ["'?'", 'IDENTIFIER', 'ESC_IDENTIFIER']));
        this.match('IDENTIFIER');
        if (this.is("'('")) this.call();
      } else if (this.is("'['")) {
        this.advance();
        if (this.is("'?'")) this.advance();
        this.rule(new Set(["']'"]), () => this.expression());
        this.match("']'");
      } else return;
    }
  }

  private call(): void {
    this.advance();
    this.sync(new Set([...operandStart, "')'"]));
    if (!this.is("')'")) this.listed("')'", () => this.expression());
    this.match("')'");
  }

  private primary(): void {
    const { type } = this.token;
    if (type === "'('") {
      this.advance();
      this.rule(new Set(["')'"]), () => this.expression());
      this.match("')'");
    } else if (type === "'['") {
      this.advance();
      this.sync(new Set([...operandStart, "']'", "','", "'?'"]));
      if (!this.is("']'") && !this.is("','")) {
        this.listed("']'", () => {
          if (this.is("'?'")) this.advance();
          this.expression();
        });
      }
      if (this.is("','")) this.advance();
      this.match("']'");
    } else if (type === "'{'") {
      this.advance();
      this.sync(new Set([...operandStart, "'}'", "','", "'?'"]));
      if (!this.is("'}'") && !this.is("','")) this.listed("'}'", () => this.entry());
      if (this.is("','")) this.advance();
      this.match("'}'");
    } else if (type === "'.'") {
      this.advance();
      this.match('IDENTIFIER');
      if (this.is("'('")) this.call();
    } else if (type === 'IDENTIFIER') {
      this.advance();
      if (this.is("'('")) this.call();
    } else if (literals.includes(type)) this.advance();
    else this.sync(new Set([...operandStart].filter((start) => start !== "'-'" && start !== "'!'")));
  }

  private entry(): void {
    if (this.is("'?'")) this.advance();
    this.rule(new Set(["':'"]), () => this.expression());
    this.match("':'");
    this.rule(new Set(), () => this.expression());
  }

  /** One or more of something between commas; a comma before the closing bracket belongs to the bracket. */
  private listed(close: string, item: () => void): void {
    const follow = new Set(["','", close]);
    this.rule(follow, item);
    while (this.is("','")) {
      if (this.next.type === close && close !== "')'") return;
      this.advance();
      this.rule(follow, item);
    }
  }
}

function setText(types: ReadonlySet<string>): string {
  const sorted = order.filter((type) => types.has(type));
  return sorted.length === 1 ? (sorted[0] ?? '') : `{${sorted.join(', ')}}`;
}
