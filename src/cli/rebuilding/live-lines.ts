// Lines at the bottom of a terminal that are drawn again and again in the same place.
import { neutralise, type OutputStream } from '../terminal.js';

const ROWS_USUAL = 24;
/** A longer line is cut off at the edge: if it were wrapped, the lines could not be counted. */
const [WRAP_OFF, WRAP_ON] = ['\u001b[?7l', '\u001b[?7h'];
const CLEAR_TO_LINE_END = '\u001b[K';
const CLEAR_TO_SCREEN_END = '\u001b[J';

export class LiveLines {
  #drawn = 0;

  constructor(private readonly stream: OutputStream) {}

  /** What is drawn must be no higher: lines that have left the screen cannot be drawn again. */
  get rowsMax(): number {
    return Math.max(2, (this.stream.rows ?? ROWS_USUAL) - 1);
  }

  draw(lines: readonly string[]): void {
    const fitting = lines.slice(0, this.rowsMax);
    const text = fitting.map((line) => `${neutralise(line)}${CLEAR_TO_LINE_END}\n`).join('');
    this.stream.write(`${this.#toTop()}${WRAP_OFF}${text}${WRAP_ON}${CLEAR_TO_SCREEN_END}`);
    this.#drawn = fitting.length;
  }

  /** The next drawing stands below what is written from here on. */
  clear(): void {
    if (this.#drawn > 0) this.stream.write(`${this.#toTop()}${CLEAR_TO_SCREEN_END}`);
    this.#drawn = 0;
  }

  #toTop(): string {
    return this.#drawn > 0 ? `\r\u001b[${this.#drawn}A` : '';
  }
}
