// The values of one statement. Everything that comes from a request goes through here and never
// into the statement's text.

export type SqlType = 'text' | 'text[]' | 'timestamptz' | 'timestamptz[]' | 'bigint';

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

export class SqlParameters {
  readonly values: unknown[] = [];

  /** The placeholder that stands for the value. */
  add(value: unknown, type: SqlType): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}

export const timestamp = (epochMs: number): string => new Date(epochMs).toISOString();
