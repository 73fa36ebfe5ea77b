// The cursor of the list of jobs: the place of a page's last job, checked on its way back, so that none can
// make PostgreSQL stumble.
import { cursorOf, cursorRefused, textOfCursor } from '../../auth/page.js';
import type { JobPlace } from './job-table.js';

const PLACE = /^(\d{13}) (j\w{1,20})$/;

export const jobCursor = ({ createdAt, id }: JobPlace): string => cursorOf(`${createdAt.getTime()} ${id}`);

/** @throws Problem when the cursor is none that was given out */
export function placeOfJobCursor(cursor: string): JobPlace {
  const [, epochMs, id] = PLACE.exec(textOfCursor(cursor)) ?? [];
  if (epochMs === undefined || id === undefined) throw cursorRefused();
  return { createdAt: new Date(Number(epochMs)), id };
}
