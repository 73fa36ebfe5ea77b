// Lists come from the server in pages; the CLI shows them whole.
import type { ApiClient } from './api-client.js';

const PAGE_ITEMS = 100;

interface Page {
  readonly next_cursor?: string | null;
}

/** Every item of a list endpoint, whose answer holds them under `field`. */
export async function allItems<T>(
  client: ApiClient,
  { path, field }: { path: string; field: string },
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null | undefined;
  do {
    const query = new URLSearchParams({ limit: String(PAGE_ITEMS), ...(cursor && { cursor }) });
    const page = await client.call<Page & Readonly<Record<string, unknown>>>({
      method: 'GET',
      path: `${path}?${query.toString()}`,
    });
    items.push(...((page[field] as T[] | undefined) ?? []));
    cursor = page.next_cursor;
  } while (cursor);
  return items;
}
