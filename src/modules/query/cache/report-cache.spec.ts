import { MemoryReportCache } from './report-cache.js';

const cacheOf = (bytesMax = 100) =>
  new MemoryReportCache<{ text: string }>({ bytesMax, entriesMax: 10, bytesOf: ({ text }) => text.length });

it('computes an answer once, however many ask at the same time', async () => {
  const cache = cacheOf();
  let computed = 0;
  const compute = async () => {
    computed++;
    await new Promise((resolve) => setTimeout(resolve, 5));
    return { text: 'a' };
  };
  const answers = await Promise.all([1, 2, 3].map(() => cache.get('key', compute)));
  expect(computed).toBe(1);
  expect(answers.map(({ source }) => source)).toEqual(['computed', 'cache', 'cache']);
  expect(await cache.get('key', compute)).toEqual({ value: { text: 'a' }, source: 'cache' });
});

it('tells everybody who waits of a failure, and forgets it', async () => {
  const cache = cacheOf();
  const failing = () => Promise.reject(new Error('away'));
  const both = await Promise.allSettled([cache.get('key', failing), cache.get('key', failing)]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await cache.get('key', async () => ({ text: 'b' }))).toEqual({
    value: { text: 'b' },
    source: 'computed',
  });
});

it('keeps to its bytes: the least recently used go first', async () => {
  const cache = cacheOf(10);
  for (const key of ['a', 'b', 'c']) await cache.get(key, async () => ({ text: '12345' }));
  expect((await cache.get('a', async () => ({ text: '12345' }))).source).toBe('computed');
  expect((await cache.get('c', async () => ({ text: '12345' }))).source).toBe('cache');
});
