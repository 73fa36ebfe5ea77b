// Lists come from the server in pages; the CLI shows them whole, or works its way along them.
import type { ApiClient } from './api-client.js';

const PAGE_ITEMS = 100;

interface Page {
  readonly next_cursor?: string | null;
}

export interface List {
  readonly path: string;
  /** Of the answer: what holds the items. */
  readonly field: string;
  readonly parameters?: Readonly<Record<string, string | undefined>>;
  /** Is told each answer, for what stands beside the items. */
  readonly beside?: (answer: Readonly<Record<string, unknown>>) => void;
}

/** Every item of a list endpoint, whose answer holds them under `field`. */
export async function allItems<T>(client: ApiClient, list: List): Promise<T[]> {
  const items: T[] = [];
  for await (const page of pagesOf<T>(client, list)) items.push(...page);
  return items;
}

/** The same, a page at a time. */
export async function* pagesOf<T>(
  client: ApiClient,
  { path, field, parameters = {}, beside }: List,
): AsyncGenerator<readonly T[], void, undefined> {
  let cursor: string | null | undefined;
  do {
    const query = new URLSearchParams({ limit: String(PAGE_ITEMS), ...(cursor && { cursor }) });
    for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value);
    const page = await client.call<Page & Readonly<Record<string, unknown>>>({
      method: 'GET',
      path: `${path}?${query.toString()}`,
    });
    beside?.(page);
    yield (page[field] as T[] | undefined) ?? [];
    cursor = page.next_cursor;
  } while (cursor);
}
