// Cuts a directory into pages without sorting all of it: one pass that keeps the smallest names
// after the cursor. The cursor is the last name of the page before, so that what is created or
// deleted meanwhile neither repeats nor hides anything else.
import { Problem } from '../../http/problem.js';

export interface PageRequest<Item> {
  /** Unique among the items. */
  readonly nameOf: (item: Item) => string;
  readonly limit: number;
  readonly cursor: string | undefined;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

/** @throws Problem when the cursor is none that was given out. */
export function pageOf<Item>(
  items: readonly Item[],
  { nameOf, limit, cursor }: PageRequest<Item>,
): Page<Item> {
  const after = cursor === undefined ? undefined : textOfCursor(cursor);
  // One more than asked for tells whether there is a next page.
  const page: { name: string; item: Item }[] = [];
  for (const item of items) {
    const name = nameOf(item);
    if (after !== undefined && name <= after) continue;
    if (page.length > limit && name > page.at(-1)!.name) continue;
    let place = page.length;
    while (place > 0 && page[place - 1]!.name > name) place--;
    page.splice(place, 0, { name, item });
    if (page.length > limit + 1) page.pop();
  }
  const shown = page.slice(0, limit);
  const nextCursor = page.length > limit ? cursorOf(shown.at(-1)!.name) : null;
  return { items: shown.map(({ item }) => item), nextCursor };
}

export const cursorOf = (text: string): string => Buffer.from(text).toString('base64url');

/** @throws Problem when the cursor is none that was given out. */
export function textOfCursor(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString();
  if (cursor === '' || cursorOf(text) !== cursor) throw cursorRefused();
  return text;
}

export const cursorRefused = (): Problem =>
  Problem.badRequest('Use the next_cursor of the page before.', [
    { path: 'cursor', message: 'is not a cursor of this list' },
  ]);
