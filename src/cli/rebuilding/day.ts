// A day of the calendar as an option: checked here, so that a slip is wrong usage and not a request.
import { usageError } from '../failure.js';

/** A commander option parser. */
export function dayOf(text: string): string {
  const day = new Date(`${text}T00:00:00Z`);
  if (/^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)) {
    return text;
  }
  throw usageError(`"${text}" is not a day such as 2026-11-21.`);
}
