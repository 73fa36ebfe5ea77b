// Answers already computed, by a key that holds everything they depend on (query, version, what has
// changed): nothing is ever invalidated, it is only forgotten. Concurrent requests for one answer
// compute it once.
import { LRUCache } from 'lru-cache';

export interface CachedReport<T> {
  readonly value: T;
  readonly source: 'cache' | 'computed';
}

export interface ReportCacheOptions<T> {
  readonly bytesMax: number;
  readonly entriesMax: number;
  readonly bytesOf: (value: T) => number;
}

/** `lasting`: about days that are over, whose answers hardly ever change. */
export type Durability = 'passing' | 'lasting';

export abstract class ReportCache<T> {
  /** Undefined: it would have to be computed. */
  abstract find(key: string): T | undefined | Promise<T | undefined>;

  abstract get(key: string, compute: () => Promise<T>, durability?: Durability): Promise<CachedReport<T>>;
}

export class MemoryReportCache<T extends object> extends ReportCache<T> {
  readonly #reports: LRUCache<string, T>;
  readonly #underWay = new Map<string, Promise<T>>();

  constructor({ bytesMax, entriesMax, bytesOf }: ReportCacheOptions<T>) {
    super();
    this.#reports = new LRUCache({
      max: entriesMax,
      maxSize: bytesMax,
      sizeCalculation: (value) => bytesOf(value),
    });
  }

  find(key: string): T | undefined {
    return this.#reports.get(key);
  }

  /** Known from elsewhere. */
  keep(key: string, value: T): void {
    this.#reports.set(key, value);
  }

  async get(key: string, compute: () => Promise<T>): Promise<CachedReport<T>> {
    return this.shared(key, async () => {
      const value = await compute();
      this.keep(key, value);
      return value;
    });
  }

  /** Like `get`, but what comes of it is kept only by whoever says so. */
  async shared(key: string, fetch: () => Promise<T>): Promise<CachedReport<T>> {
    const known = this.#reports.get(key);
    if (known !== undefined) return { value: known, source: 'cache' };
    const running = this.#underWay.get(key);
    if (running !== undefined) return { value: await running, source: 'cache' };
    const fetching = fetch();
    this.#underWay.set(key, fetching);
    try {
      return { value: await fetching, source: 'computed' };
    } finally {
      this.#underWay.delete(key);
    }
  }
}
