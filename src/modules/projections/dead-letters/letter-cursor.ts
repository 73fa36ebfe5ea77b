// The cursor of the list of dead letters: the place of a page's last letter, readable by nobody and
// checked on its way back, so that none can make PostgreSQL stumble.
import { cursorOf, cursorRefused, textOfCursor } from '../../auth/page.js';
import type { LetterPlace } from './dead-letter-table.js';

const PLACE = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})(\d{3}Z) ([\w.-]{1,200})$/;

export const letterCursor = ({ failedAt, id }: LetterPlace): string => cursorOf(`${failedAt} ${id}`);

/** @throws Problem when the cursor is none that was given out. */
export function placeOfCursor(cursor: string): LetterPlace {
  const [, milliseconds, rest, id] = PLACE.exec(textOfCursor(cursor)) ?? [];
  if (milliseconds === undefined || rest === undefined || id === undefined) throw cursorRefused();
  const time = new Date(`${milliseconds}Z`);
  // Of the form and still no time: the 31st of February.
  if (Number.isNaN(time.getTime()) || !time.toISOString().startsWith(milliseconds)) throw cursorRefused();
  return { failedAt: milliseconds + rest, id };
}
