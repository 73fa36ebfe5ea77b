// What a job is: something a client asked for that takes longer than a request, which any api node may work
// on, and whose result stays for a while. States: queued → running → done, failed or cancelled; a job whose
// node was lost runs again elsewhere. What has expired is done, and its result is gone.
import type { ProblemOptions } from '../../../http/problem.js';

export type JobState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
/** As clients see it. */
export type ShownState = JobState | 'expired';

export interface JobKey {
  readonly site: string;
  readonly id: string;
}

export interface Job extends JobKey {
  readonly kind: string;
  /** As the kind keeps it: JSON. */
  readonly request: string;
  readonly state: JobState;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly expiresAt: Date | null;
  readonly hasExpired: boolean;
  readonly progress: Progress;
  /** Since whoever works on it now began. */
  readonly claimedSeconds: number | null;
  /** How far it was then. */
  readonly claimedShare: number | null;
  readonly bytes: number;
  readonly contentType: string | null;
  readonly sha256: string | null;
  /** What the kind says of its result: JSON. */
  readonly about: string | null;
  readonly problem: ProblemOptions | null;
}

export interface Progress {
  readonly rows: number;
  /** About; null: nobody knows. */
  readonly rowsExpected: number | null;
  /** Between 0 and 1; null: nobody knows. */
  readonly share: number | null;
}

export const isOver = ({ state }: Pick<Job, 'state'>): boolean => state !== 'queued' && state !== 'running';

export const shownState = ({ state, hasExpired }: Pick<Job, 'state' | 'hasExpired'>): ShownState =>
  state === 'done' && hasExpired ? 'expired' : state;

/** At the pace of whoever works on it now; null before anything can be said. */
export function secondsLeft({ state, progress, claimedSeconds, claimedShare }: Job): number | null {
  const { share } = progress;
  if (state !== 'running' || share === null || claimedSeconds === null) return null;
  const done = share - (claimedShare ?? 0);
  return done > 0 ? Math.ceil((claimedSeconds * (1 - share)) / done) : null;
}
