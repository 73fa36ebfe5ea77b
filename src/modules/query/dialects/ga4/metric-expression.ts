// Arithmetic over metrics, as requests write it (`sessions - engagedSessions`) and as the vocabulary
// defines its ratios. Numbers, names, + - * / and parentheses; what is divided by nothing is 0, so
// that a rate of no sessions is a number. Pure.

export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'negative'; readonly of: Expression }
  | {
      readonly kind: 'operation';
      readonly operator: Operator;
      readonly left: Expression;
      readonly right: Expression;
    };
export type Operator = '+' | '-' | '*' | '/';

export type ExpressionOutcome =
  | { readonly outcome: 'expression'; readonly expression: Expression }
  | { readonly outcome: 'refused'; readonly reason: string };

export const EXPRESSION_CHARS_MAX = 500;
const NESTING_MAX = 20;
const TOKEN = /\s*(\d+(?:\.\d+)?|[A-Za-z][A-Za-z0-9_:]*|[-+*/()])/y;
const NOTHING_BUT_SPACE = /^\s*$/;

export function parseExpression(text: string): ExpressionOutcome {
  if (text.length > EXPRESSION_CHARS_MAX)
    return refused(`must have at most ${EXPRESSION_CHARS_MAX} characters`);
  const tokens = tokensOf(text);
  if (tokens === undefined) return refused('may hold numbers, metric names, + - * / and parentheses');
  try {
    const parser = new Parser(tokens);
    const expression = parser.sum(0);
    parser.end();
    return { outcome: 'expression', expression };
  } catch (error) {
    if (error instanceof Unreadable) return refused(error.message);
    throw error;
  }
}

export function namesOf(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case 'number':
      return [];
    case 'name':
      return [expression.name];
    case 'negative':
      return namesOf(expression.of);
    case 'operation':
      return [...namesOf(expression.left), ...namesOf(expression.right)];
  }
}

export function evaluate(expression: Expression, valueOf: (name: string) => number): number {
  switch (expression.kind) {
    case 'number':
      return expression.value;
    case 'name':
      return valueOf(expression.name);
    case 'negative':
      return -evaluate(expression.of, valueOf);
    case 'operation':
      return OPERATIONS[expression.operator](
        evaluate(expression.left, valueOf),
        evaluate(expression.right, valueOf),
      );
  }
}

/** Whether whole numbers stay whole. */
export function staysWhole(expression: Expression, isWhole: (name: string) => boolean): boolean {
  switch (expression.kind) {
    case 'number':
      return Number.isInteger(expression.value);
    case 'name':
      return isWhole(expression.name);
    case 'negative':
      return staysWhole(expression.of, isWhole);
    case 'operation':
      return (
        expression.operator !== '/' &&
        staysWhole(expression.left, isWhole) &&
        staysWhole(expression.right, isWhole)
      );
  }
}

const OPERATIONS: Readonly<Record<Operator, (left: number, right: number) => number>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => (right === 0 ? 0 : left / right),
};

class Unreadable extends Error {}

class Parser {
  private at = 0;

  constructor(private readonly tokens: readonly string[]) {}

  sum(depth: number): Expression {
    return this.operations(['+', '-'], () => this.product(depth));
  }

  end(): void {
    const token = this.tokens[this.at];
    if (token !== undefined) throw new Unreadable(`does not go on with ${token}`);
  }

  private product(depth: number): Expression {
    return this.operations(['*', '/'], () => this.operand(depth));
  }

  private operations(operators: readonly Operator[], operand: () => Expression): Expression {
    let left = operand();
    for (;;) {
      const operator = operators.find((one) => one === this.tokens[this.at]);
      if (operator === undefined) return left;
      this.at++;
      left = { kind: 'operation', operator, left, right: operand() };
    }
  }

  private operand(depth: number): Expression {
    if (depth > NESTING_MAX) throw new Unreadable(`must not nest deeper than ${NESTING_MAX} levels`);
    const token = this.tokens[this.at++];
    if (token === undefined) throw new Unreadable('ends too early');
    if (token === '-') return { kind: 'negative', of: this.operand(depth + 1) };
    if (token === '(') {
      const inner = this.sum(depth + 1);
      if (this.tokens[this.at++] !== ')') throw new Unreadable('leaves a parenthesis open');
      return inner;
    }
    if (/^\d/.test(token)) return { kind: 'number', value: Number(token) };
    if (/^[A-Za-z]/.test(token)) return { kind: 'name', name: token };
    throw new Unreadable(`has ${token} in place of a number or a metric`);
  }
}

function tokensOf(text: string): readonly string[] | undefined {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  let end = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    tokens.push(match[1]!);
    end = TOKEN.lastIndex;
  }
  return NOTHING_BUT_SPACE.test(text.slice(end)) ? tokens : undefined;
}

const refused = (reason: string): ExpressionOutcome => ({ outcome: 'refused', reason });
