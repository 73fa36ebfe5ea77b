// The values of one statement. Everything that comes from a request goes through here and never
// into the statement's text.

export type SqlType =
  'text' | 'text[]' | 'timestamptz' | 'timestamptz[]' | 'bigint' | 'int' | 'int[]' | 'jsonb';

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

export class SqlParameters {
  readonly values: unknown[] = [];
  readonly #texts = new Map<string, string>();

  /** The placeholder that stands for the value; the same for the same text, so that expressions can be equal. */
  add(value: unknown, type: SqlType): string {
    if (typeof value !== 'string') return this.#push(value, type);
    const key = `${type} ${value}`;
    const placeholder = this.#texts.get(key) ?? this.#push(value, type);
    this.#texts.set(key, placeholder);
    return placeholder;
  }

  #push(value: unknown, type: SqlType): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}

export const timestamp = (epochMs: number): string => new Date(epochMs).toISOString();
