// What is seen of a rebuild while it is watched: bars drawn in place on a terminal, a line now and then
// elsewhere, or a line of JSON for every change.
import type { Terminal } from '../terminal.js';
import type { Rebuild } from './api-answers.js';
import { LiveLines } from './live-lines.js';
import { barLines, plainLine } from './rebuild-text.js';

const PLAIN_INTERVAL_MS = 5_000;

export interface RebuildView {
  show(rebuild: Rebuild): void;
  /** Something beside the progress. */
  note(line: string): void;
}

export interface RebuildViewOptions {
  readonly terminal: Terminal;
  readonly json: boolean;
  readonly now: () => number;
}

export function rebuildView({ terminal, json, now }: RebuildViewOptions): RebuildView {
  if (json) return jsonView(terminal);
  return terminal.stderr.isTTY ? barsView(terminal) : plainView(terminal, now);
}

function barsView(terminal: Terminal): RebuildView {
  const live = new LiveLines(terminal.stderr);
  return {
    show: (rebuild) => live.draw(barLines(rebuild, live.rowsMax)),
    note: (line) => {
      live.clear();
      terminal.note(line);
    },
  };
}

function plainView(terminal: Terminal, now: () => number): RebuildView {
  let shown: { readonly state: string; readonly line: string; readonly at: number } | undefined;
  return {
    show: (rebuild) => {
      const { state } = rebuild;
      const at = now();
      if (state === shown?.state && at - shown.at < PLAIN_INTERVAL_MS) return;
      const line = plainLine(rebuild);
      if (line !== shown?.line) terminal.note(line);
      shown = { state, line, at };
    },
    note: (line) => terminal.note(line),
  };
}

function jsonView(terminal: Terminal): RebuildView {
  let shown: string | undefined;
  return {
    show: (rebuild) => {
      const text = JSON.stringify(rebuild);
      if (text === shown) return;
      shown = text;
      terminal.jsonLine(rebuild);
    },
    note: (line) => terminal.note(line),
  };
}
