// The laws of the event store, one suite for every driver:
//   eventStoreContract('postgres', { open: async () => ({ store, close }) })
// `open` gives an empty store; `close` also stops what was started for it.
import type { EventStore, RecordedEvent, Subscription } from '../../src/event-store/event-store.js';

export interface OpenEventStore {
  readonly store: EventStore;
  close(): Promise<void>;
}

const happened = (n: number) => ({ type: 'Happened', data: { n } });

async function all(events: AsyncIterable<RecordedEvent>): Promise<RecordedEvent[]> {
  const list: RecordedEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}

const numbers = (events: readonly RecordedEvent[]) => events.map((event) => event.data.n);
const place = ({ stream, revision }: RecordedEvent) => `${stream}@${revision}`;

export function eventStoreContract(name: string, driver: { open(): Promise<OpenEventStore> }): void {
  describe(`event store: ${name}`, () => {
    let opened: OpenEventStore;
    let store: EventStore;

    beforeEach(async () => {
      opened = await driver.open();
      store = opened.store;
    });
    afterEach(() => opened.close());

    appending(() => store);
    reading(() => store);
    subscribing(() => store);
  });
}

function appending(store: () => EventStore): void {
  describe('appending', () => {
    it('counts revisions 0, 1, 2 … in each stream', async () => {
      expect(await store().append('a', [happened(1)], 'none')).toEqual({ outcome: 'stored', revision: 0 });
      expect(await store().append('a', [happened(2), happened(3)], 0)).toEqual({
        outcome: 'stored',
        revision: 2,
      });
      expect(await store().append('b', [happened(4)], 'none')).toEqual({ outcome: 'stored', revision: 0 });
      expect((await all(store().readStream('a'))).map((event) => event.revision)).toEqual([0, 1, 2]);
    });

    it('gives back what was stored, with its metadata, or without when there was none', async () => {
      const data = { text: 'žluťoučký 𝕂 \u2028', list: [1, null, { deep: true }], number: 0.1 };
      const before = Date.now();
      await store().append('a', [{ type: 'Told', data, metadata: { by: 'somebody' } }, happened(1)], 'none');
      const [told, plain] = await all(store().readStream('a'));
      expect(told).toMatchObject({ stream: 'a', type: 'Told', data, metadata: { by: 'somebody' } });
      expect(plain).not.toHaveProperty('metadata');
      expect(told!.recordedAt).toBeInstanceOf(Date);
      expect(Math.abs(told!.recordedAt.getTime() - before)).toBeLessThan(60_000);
    });

    it('refuses `none` on a stream that exists, and names its revision', async () => {
      await store().append('a', [happened(1), happened(2)], 'none');
      expect(await store().append('a', [happened(3)], 'none')).toEqual({ outcome: 'conflict', actual: 1 });
    });

    it('refuses a revision that is not the last, before or beyond it', async () => {
      await store().append('a', [happened(1), happened(2)], 'none');
      expect(await store().append('a', [happened(3)], 0)).toEqual({ outcome: 'conflict', actual: 1 });
      expect(await store().append('a', [happened(3)], 2)).toEqual({ outcome: 'conflict', actual: 1 });
      expect(await store().append('b', [happened(3)], 0)).toEqual({ outcome: 'conflict', actual: 'none' });
    });

    it('checks nothing for `any`', async () => {
      expect(await store().append('a', [happened(1)], 'any')).toEqual({ outcome: 'stored', revision: 0 });
      expect(await store().append('a', [happened(2)], 'any')).toEqual({ outcome: 'stored', revision: 1 });
    });

    it('stores nothing of an append it refuses', async () => {
      await store().append('a', [happened(1)], 'none');
      await store().append('a', [happened(2), happened(3)], 'none');
      expect(numbers(await all(store().readAll(null)))).toEqual([1]);
    });

    it('stores all of several events or none, when one of them cannot be stored', async () => {
      const circular: Record<string, unknown> = {};
      circular.self = circular;
      const append = store().append('a', [happened(1), { type: 'Broken', data: circular }], 'none');
      await expect(append).rejects.toThrow();
      expect(await all(store().readAll(null))).toEqual([]);
      expect(await store().append('a', [happened(1)], 'none')).toMatchObject({ outcome: 'stored' });
    });

    it('refuses an empty append', async () => {
      await expect(store().append('a', [], 'any')).rejects.toThrow(/1 to/);
    });

    it('lets exactly one of 100 parallel writers win each revision', async () => {
      for (const expected of ['none', 0, 1] as const) {
        const writers = Array.from({ length: 100 }, (_, n) => store().append('a', [happened(n)], expected));
        const outcomes = await Promise.all(writers);
        const revision = expected === 'none' ? 0 : expected + 1;
        expect(outcomes.filter(({ outcome }) => outcome === 'stored')).toEqual([
          { outcome: 'stored', revision },
        ]);
        const conflicts = outcomes.filter(({ outcome }) => outcome === 'conflict');
        expect(conflicts).toEqual(
          Array.from({ length: 99 }, () => ({ outcome: 'conflict', actual: revision })),
        );
        const winner = outcomes.findIndex(({ outcome }) => outcome === 'stored');
        expect((await all(store().readStream('a'))).at(-1)).toMatchObject({ revision, data: { n: winner } });
      }
    });

    it('loses none of 100 parallel writers that expect `any`', async () => {
      const writers = Array.from({ length: 100 }, (_, n) => store().append('a', [happened(n)], 'any'));
      const outcomes = await Promise.all(writers);
      const revisions = outcomes.map((outcome) => (outcome.outcome === 'stored' ? outcome.revision : NaN));
      expect(revisions.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, n) => n));
      expect(await all(store().readStream('a'))).toHaveLength(100);
    });
  });
}

function reading(store: () => EventStore): void {
  describe('reading', () => {
    it('reads nothing of a stream that is not there', async () => {
      expect(await all(store().readStream('nowhere'))).toEqual([]);
      expect(await all(store().readAll(null))).toEqual([]);
    });

    it('reads a stream after a revision', async () => {
      await store().append('a', [happened(1), happened(2), happened(3)], 'none');
      await store().append('b', [happened(4)], 'none');
      expect(numbers(await all(store().readStream('a', 0)))).toEqual([2, 3]);
      expect(numbers(await all(store().readStream('a', 2)))).toEqual([]);
    });

    it('reads all streams in commit order, from any position on, across many pages', async () => {
      const expected: number[] = [];
      for (let start = 0; start < 1_200; start += 100) {
        const run = Array.from({ length: 100 }, (_, n) => start + n);
        expected.push(...run);
        await store().append(`s${(start / 100) % 5}`, run.map(happened), 'any');
      }
      const events = await all(store().readAll(null));
      expect(numbers(events)).toEqual(expected);
      for (const index of [0, 499, 500, 1_198, 1_199]) {
        expect(numbers(await all(store().readAll(events[index]!.position)))).toEqual(
          expected.slice(index + 1),
        );
      }
      const longest = await all(store().readStream('s0'));
      expect(longest).toHaveLength(300);
    });

    it('ends at the end it found, though appends go on', async () => {
      await store().append('a', [happened(0)], 'any');
      const seen: RecordedEvent[] = [];
      for await (const event of store().readAll(null)) {
        seen.push(event);
        await store().append('a', [happened(seen.length)], 'any');
        if (seen.length > 3) break;
      }
      expect(numbers(seen)).toEqual([0]);
    });
  });
}

function subscribing(store: () => EventStore): void {
  describe('subscribing', () => {
    const open: Subscription[] = [];
    const follow: EventStore['subscribeAll'] = async (after, handle) => {
      const subscription = await store().subscribeAll(after, handle);
      open.push(subscription);
      return subscription;
    };
    afterEach(async () => {
      await Promise.all(open.splice(0).map((subscription) => subscription.close()));
    });

    it('gives every event once, in order and missing none, while many writers append', async () => {
      const seen: RecordedEvent[] = [];
      const early = await follow(null, (event) => void seen.push(event));
      const writers = Array.from({ length: 20 }, async (_, stream) => {
        for (let n = 0; n < 25; n++) await store().append(`s${stream}`, [happened(n), happened(n)], 'any');
      });
      // A second subscriber begins in the middle of it.
      const late: RecordedEvent[] = [];
      const joining = await follow(null, (event) => void late.push(event));
      await Promise.all(writers);
      await Promise.all([early.caughtUp(), joining.caughtUp()]);

      const stored = await all(store().readAll(null));
      expect(stored).toHaveLength(1_000);
      expect(seen.map(place)).toEqual(stored.map(place));
      expect(late.map(place)).toEqual(stored.map(place));
      for (let stream = 0; stream < 20; stream++) {
        const own = seen.filter((event) => event.stream === `s${stream}`);
        expect(own.map((event) => event.revision)).toEqual(Array.from({ length: 50 }, (_, n) => n));
      }
    });

    it('hears of an append promptly', async () => {
      let heard: (() => void) | undefined;
      const subscription = await follow(null, () => heard?.());
      await subscription.caughtUp();
      const delaysMs: number[] = [];
      for (let n = 0; n < 5; n++) {
        const startedAt = performance.now();
        const hearing = new Promise<void>((resolve) => (heard = resolve));
        await store().append('a', [happened(n)], 'any');
        await hearing;
        delaysMs.push(performance.now() - startedAt);
      }
      expect(delaysMs.sort((a, b) => a - b)[2]).toBeLessThan(800);
    });

    it('begins, from the end, with what comes after it', async () => {
      expect(await all(store().readAll(await store().end()))).toEqual([]);
      await store().append('a', [happened(1), happened(2)], 'none');
      const end = await store().end();
      expect(await all(store().readAll(end))).toEqual([]);
      const seen: RecordedEvent[] = [];
      const subscription = await follow(end, (event) => void seen.push(event));
      await store().append('b', [happened(3)], 'none');
      await subscription.caughtUp();
      expect(numbers(seen)).toEqual([3]);
    });

    it('resumes after a position', async () => {
      await store().append('a', [happened(1), happened(2), happened(3)], 'none');
      const [first] = await all(store().readAll(null));
      const seen: RecordedEvent[] = [];
      const subscription = await follow(first!.position, (event) => void seen.push(event));
      await store().append('b', [happened(4)], 'none');
      await subscription.caughtUp();
      expect(numbers(seen)).toEqual([2, 3, 4]);
    });

    it('gives an event again to a handler that threw, before any later one', async () => {
      const seen: unknown[] = [];
      let failures = 2;
      const subscription = await follow(null, (event) => {
        seen.push(event.data.n);
        if (event.data.n === 2 && failures-- > 0) throw new Error('not yet');
      });
      await store().append('a', [happened(1), happened(2), happened(3)], 'none');
      await subscription.caughtUp();
      expect(seen).toEqual([1, 2, 2, 2, 3]);
    });

    it('waits for a handler before it gives the next event', async () => {
      let running = 0;
      let most = 0;
      const subscription = await follow(null, async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running--;
      });
      await store().append('a', [happened(1), happened(2), happened(3)], 'none');
      await subscription.caughtUp();
      expect(most).toBe(1);
    });

    it('is caught up only when all that was stored before the call has been handled', async () => {
      let handled = 0;
      const subscription = await follow(null, async () => {
        await new Promise((resolve) => setTimeout(resolve, 2));
        handled++;
      });
      for (let n = 1; n <= 20; n++) {
        await store().append('a', [happened(n), happened(n)], 'any');
        await subscription.caughtUp();
        expect(handled).toBeGreaterThanOrEqual(2 * n);
      }
    });

    it('knows when it was last at the end, and goes on knowing while nothing happens', async () => {
      const subscription = await follow(null, () => undefined);
      const before = Date.now();
      await subscription.caughtUp();
      const first = subscription.freshAt;
      expect(first).toBeGreaterThanOrEqual(before);
      expect(first).toBeLessThanOrEqual(Date.now());
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      expect(subscription.freshAt).toBeGreaterThan(first);
    });

    it('is not fresh while its handler fails', async () => {
      const subscription = await follow(null, (event) => {
        if (event.data.n === 'poison') throw new Error('cannot');
      });
      await subscription.caughtUp();
      await store().append('a', [{ type: 'Happened', data: { n: 'poison' } }], 'any');
      await new Promise((resolve) => setTimeout(resolve, 200));
      const stuckAt = subscription.freshAt;
      await new Promise((resolve) => setTimeout(resolve, 1_300));
      expect(subscription.freshAt).toBe(stuckAt);
    });

    it('gives nothing more once closed, and rejects who still waits', async () => {
      const seen: RecordedEvent[] = [];
      const subscription = await follow(null, (event) => void seen.push(event));
      await subscription.caughtUp();
      await subscription.close();
      await store().append('a', [happened(1)], 'none');
      await expect(subscription.caughtUp()).rejects.toThrow(/closed/);
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(seen).toEqual([]);
    });

    it('ends its subscriptions when the store closes', async () => {
      const seen: RecordedEvent[] = [];
      const subscription = await follow(null, (event) => void seen.push(event));
      await subscription.caughtUp();
      await store().append('a', [happened(1)], 'none');
      await store().close();
      await expect(subscription.caughtUp()).rejects.toThrow(/closed/);
    });
  });
}
