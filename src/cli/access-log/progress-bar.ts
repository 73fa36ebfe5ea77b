// One line on a terminal that says how far the import is, how fast and how long it will still take.
// Writes nothing where standard error is no terminal.
import { durationText, formatCount, type OutputStream, shareBar } from '../terminal.js';

const REDRAW_MS = 100;

export interface ProgressState {
  readonly lines: number;
  readonly bytesRead: number;
}

export interface ProgressBarOptions {
  readonly stream: OutputStream;
  /** Undefined: not known, as for standard input; then there is no bar and no time left. */
  readonly totalBytes: number | undefined;
  readonly now: () => number;
}

export class ProgressBar {
  private readonly startedAt: number;
  private drawnAt = 0;

  constructor(private readonly options: ProgressBarOptions) {
    this.startedAt = options.now();
  }

  update(state: ProgressState): void {
    const now = this.options.now();
    if (!this.options.stream.isTTY || now - this.drawnAt < REDRAW_MS) return;
    this.drawnAt = now;
    const text = progressText(state, {
      seconds: (now - this.startedAt) / 1000,
      totalBytes: this.options.totalBytes,
    });
    this.options.stream.write(`\r${text.slice(0, (this.options.stream.columns ?? 80) - 1)}\u001b[K`);
  }

  clear(): void {
    if (this.options.stream.isTTY && this.drawnAt > 0) this.options.stream.write('\r\u001b[K');
  }
}

export function progressText(
  { lines, bytesRead }: ProgressState,
  { seconds, totalBytes }: { seconds: number; totalBytes: number | undefined },
): string {
  const rate = seconds > 0 ? lines / seconds : 0;
  const counts = `${formatCount(lines)} lines  ${formatCount(Math.round(rate))} lines/s`;
  if (!totalBytes) return counts;
  const share = Math.min(bytesRead / totalBytes, 1);
  const left = share > 0 ? `  ${durationText((seconds / share) * (1 - share))} left` : '';
  return `${shareBar(share)}  ${counts}${left}`;
}
