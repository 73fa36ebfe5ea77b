// A job as the API answers it, and what is said of one on a line. Pure.
import { durationText, formatCount, shareBar } from '../terminal.js';

export interface ExportJob {
  readonly id: string;
  readonly state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled' | 'expired';
  readonly progress: {
    readonly rows: number;
    readonly rows_expected: number | null;
    readonly share: number | null;
    readonly seconds_left: number | null;
  };
  readonly problem?: { readonly title?: string; readonly detail?: string };
  readonly result?: {
    readonly href: string;
    readonly bytes: number;
    readonly rows: number;
    readonly content_type: string;
    readonly sha256: string;
    readonly changed_meanwhile?: boolean | null;
  };
}

export type FinishedExport = ExportJob & { readonly result: NonNullable<ExportJob['result']> };

export const jobPath = (site: string, id: string): string =>
  `/v1/sites/${encodeURIComponent(site)}/jobs/${encodeURIComponent(id)}`;

export const isUnderWay = ({ state }: ExportJob): boolean => state === 'queued' || state === 'running';

export function jobLine({ state, progress }: ExportJob): string {
  if (state === 'queued') return 'waiting for its turn';
  const { rows, rows_expected: expected, share, seconds_left: left } = progress;
  return [
    ...(share === null ? [] : [shareBar(share)]),
    `${formatCount(rows)} rows${expected === null ? '' : ` of about ${formatCount(expected)}`}`,
    ...(left === null ? [] : [`${durationText(left)} left`]),
  ].join('  ');
}

export function downloadLine(bytes: number, of: number, secondsLeft: number | null): string {
  const share = of === 0 ? 1 : bytes / of;
  const left = secondsLeft === null ? '' : `  ${durationText(secondsLeft)} left`;
  return `${shareBar(share)}  ${formatCount(bytes)} of ${formatCount(of)} bytes${left}`;
}
