// Rows that are written one after the other and sent in another order: by some of their columns, so that
// what is read together lies together in the table. Keeps only what it compares, and where each row's bytes are.

/** In which of the chunks, from where to where. */
export interface RowPlace {
  readonly chunk: number;
  readonly start: number;
  readonly end: number;
}

const NUMBERS_PER_PLACE = 3;

export class RowOrder {
  /** Of all rows, one after the other: an array for each would be garbage by the thousand. */
  readonly #keys: (string | number)[] = [];
  readonly #places: number[] = [];
  #rows = 0;

  /** @param columns places in a row of what it is ordered by: texts and numbers, without nulls */
  constructor(private readonly columns: readonly number[]) {}

  note(values: readonly unknown[], { chunk, start, end }: RowPlace): void {
    for (const column of this.columns) this.#keys.push(values[column] as string | number);
    this.#places.push(chunk, start, end);
    this.#rows++;
  }

  *places(): Generator<RowPlace> {
    const rows = Array.from({ length: this.#rows }, (_, row) => row);
    for (const row of rows.sort((a, b) => this.#compare(a, b))) {
      const first = row * NUMBERS_PER_PLACE;
      const [chunk, start, end] = [this.#places[first]!, this.#places[first + 1]!, this.#places[first + 2]!];
      yield { chunk, start, end };
    }
  }

  #compare(a: number, b: number): number {
    const width = this.columns.length;
    for (let column = 0; column < width; column++) {
      const one = this.#keys[a * width + column]!;
      const other = this.#keys[b * width + column]!;
      if (one !== other) return one < other ? -1 : 1;
    }
    return a - b;
  }
}
