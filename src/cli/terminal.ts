// All that the CLI writes goes through here. Guarantees: what a server or a file said cannot move the
// cursor, colour or rename the terminal (control characters are shown, not obeyed); colours only on a
// terminal that wants them (NO_COLOR); results on standard output, everything else on standard error.
import Table from 'cli-table3';

export interface OutputStream {
  /** False: wants no more before it is drained. */
  write(text: string): unknown;
  once?(event: 'drain', listener: () => void): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  hasColors?(): boolean;
}

type Style = 'bold' | 'dim' | 'green' | 'red' | 'cyan';

const STYLE_CODES: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  green: [32, 39],
  red: [31, 39],
  cyan: [36, 39],
};

// C0, DEL and C1 drive the terminal; the bidirectional controls reorder what is seen.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const CONTROL_EXCEPT_NEWLINE =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const shown = (character: string): string => {
  const code = character.charCodeAt(0);
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
};

/** Control characters made visible: `\x1b[31m` is printed, not obeyed. */
export const neutralise = (text: string): string => text.replace(CONTROL, shown);

export const formatCount = (count: number): string => count.toLocaleString('en-US');

const BAR_WIDTH = 24;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of `value` against `max`, in eighths of a character. */
export function bar(value: number, max: number): string {
  if (!(value > 0) || !(max > 0)) return '';
  const eighths = Math.max(1, Math.round((Math.min(value, max) / max) * BAR_WIDTH * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
}

/** How much of a whole is done: a bar of fixed width, and the percentage. */
export function shareBar(share: number): string {
  const bounded = Math.min(Math.max(share, 0), 1);
  const filled = Math.round(bounded * BAR_WIDTH);
  const percent = String(Math.floor(bounded * 100)).padStart(3);
  return `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${percent} %`;
}

/** 0:07, 12:30, 1:02:03. */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds);
  const twoDigits = (number: number): string => String(number).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = twoDigits(whole % 60);
  return hours > 0 ? `${hours}:${twoDigits(minutes)}:${rest}` : `${minutes}:${rest}`;
}

export interface Column {
  readonly heading: string;
  readonly align?: 'left' | 'right';
}

export class Terminal {
  constructor(
    readonly stdout: OutputStream,
    readonly stderr: OutputStream,
  ) {}

  /** A line of the result. */
  print(line = ''): void {
    this.stdout.write(`${line.replace(CONTROL_EXCEPT_NEWLINE, shown)}\n`);
  }

  /** A piece of a file; to people's eyes only harmless. Settles when the stream wants more. */
  async pass(text: string): Promise<void> {
    const piece = this.stdout.isTTY
      ? text.replaceAll('\r\n', '\n').replace(CONTROL_EXCEPT_NEWLINE, shown)
      : text;
    if (this.stdout.write(piece) !== false || this.stdout.once === undefined) return;
    await new Promise<void>((resolve) => this.stdout.once!('drain', resolve));
  }

  /** A line beside the result. */
  note(line: string): void {
    this.stderr.write(`${line.replace(CONTROL_EXCEPT_NEWLINE, shown)}\n`);
  }

  json(value: unknown): void {
    this.stdout.write(`${jsonText(value, 2)}\n`);
  }

  /** One of several values, each on a line of its own. */
  jsonLine(value: unknown): void {
    this.stdout.write(`${jsonText(value)}\n`);
  }

  error(message: string): void {
    this.stderr.write(
      `${paint(this.stderr, 'error:', 'red')} ${message.replace(CONTROL_EXCEPT_NEWLINE, shown)}\n`,
    );
  }

  errorJson(error: { message: string; exitCode: number }): void {
    this.stderr.write(`${jsonText({ error }, 2)}\n`);
  }

  heading(text: string): void {
    this.stdout.write(`${paint(this.stdout, neutralise(text), 'bold')}\n`);
  }

  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void {
    const table = new Table({
      head: columns.map(({ heading }) => paint(this.stdout, neutralise(heading), 'bold')),
      colAligns: columns.map(({ align }) => align ?? 'left'),
      style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
      chars: BORDERLESS,
    });
    for (const row of rows) table.push(row.map((cell) => neutralise(cell)));
    const lines = table.toString().split('\n');
    this.stdout.write(`${lines.map((line) => line.trimEnd()).join('\n')}\n`);
  }
}

const BORDERLESS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};

// JSON escapes C0 itself; DEL, C1 and the bidirectional controls pass it unchanged.
const jsonText = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

function paint(stream: OutputStream, text: string, style: Style): string {
  if (!stream.isTTY || !stream.hasColors?.()) return text;
  const [on, off] = STYLE_CODES[style];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}
