// How far something is, on one line: drawn again and again on a terminal, told now and then elsewhere, not at
// all beside JSON.
import { LiveLines } from '../rebuilding/live-lines.js';
import type { Terminal } from '../terminal.js';

const REDRAW_MS = 100;
const PLAIN_INTERVAL_MS = 5_000;

export interface ProgressLineOptions {
  readonly terminal: Terminal;
  readonly json: boolean;
  readonly now: () => number;
}

export class ProgressLine {
  readonly #live: LiveLines;
  #shownAt = Number.NEGATIVE_INFINITY;
  #shown = '';

  constructor(private readonly options: ProgressLineOptions) {
    this.#live = new LiveLines(options.terminal.stderr);
  }

  show(line: string): void {
    const { terminal, json, now } = this.options;
    const isLive = terminal.stderr.isTTY === true;
    if (json || line === this.#shown) return;
    if (now() - this.#shownAt < (isLive ? REDRAW_MS : PLAIN_INTERVAL_MS)) return;
    this.#shownAt = now();
    this.#shown = line;
    if (isLive) this.#live.draw([line]);
    else terminal.note(line);
  }

  /** Something beside the progress. */
  note(line: string): void {
    this.clear();
    this.options.terminal.note(line);
  }

  clear(): void {
    if (this.options.terminal.stderr.isTTY) this.#live.clear();
  }
}
