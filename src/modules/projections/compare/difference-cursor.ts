// Where a page of differences ended: the size of its last one and what tells it from others of that
// size. Bound to the two versions, as another comparison has another order.
import { Problem } from '../../../http/problem.js';
import type { ComparedVersions } from './compared-versions.js';

export interface DifferencePlace {
  /** Of the difference, whatever its sign. */
  readonly size: number;
  readonly site: string;
  readonly date: string;
  readonly metric: string;
}

type Versions = Pick<ComparedVersions, 'name' | 'a' | 'b'>;

export const writeCursor = ({ name, a, b }: Versions, last: DifferencePlace): string =>
  Buffer.from(JSON.stringify([name, a, b, last.size, last.site, last.date, last.metric])).toString(
    'base64url',
  );

/** @throws Problem when no page of this comparison gave it */
export function readCursor(cursor: string, versions: Versions): DifferencePlace {
  const [name, a, b, size, site, date, metric] = partsOf(cursor);
  const place = { size, site, date, metric } as DifferencePlace;
  const isPlace =
    typeof size === 'number' &&
    typeof site === 'string' &&
    typeof metric === 'string' &&
    typeof date === 'string' &&
    /^\d{4}-\d{2}-\d{2}$/.test(date) &&
    !Number.isNaN(Date.parse(date));
  if (isPlace && writeCursor({ name, a, b } as Versions, place) === cursor) {
    if (name === versions.name && a === versions.a && b === versions.b) return place;
  }
  throw Problem.badRequest('Use the next_cursor of the page before, with the same versions.', [
    { path: 'cursor', message: 'is not a cursor of this comparison' },
  ]);
}

function partsOf(cursor: string): readonly unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parts) ? parts : [];
  } catch {
    return [];
  }
}
