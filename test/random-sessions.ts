// Seeded sessions for tests of the query side: clustered round the ends of hours and days, cut by
// them, some with a visitor id that changes, some of bots, some without any pageview.
import type { GivenEvent, GivenSession } from './read-model-rows.js';

export interface RandomSessionsOptions {
  readonly seed: number;
  readonly site: string;
  readonly count: number;
  /** Epoch milliseconds. */
  readonly from: number;
  readonly to: number;
}

const HOUR_MS = 3_600_000;
const PAGES = ['/', '/pricing', '/blog', '/blog/a%20b', '/Blog', '/100%', null];
const NAMES = ['pageview', 'pageview', 'pageview', 'signup', 'engagement', 'Outbound Link'];

export function randomSessions({
  seed,
  site,
  count,
  from,
  to,
}: RandomSessionsOptions): readonly GivenSession[] {
  const random = generator(seed);
  const below = (bound: number) => Math.floor(random() * bound);
  const pick = <T>(values: readonly T[]): T => values[below(values.length)]!;
  const maybe = (columns: Readonly<Record<string, readonly string[]>>) =>
    Object.fromEntries(
      Object.entries(columns)
        .filter(() => random() < 0.7)
        .map(([column, values]) => [column, pick(values)]),
    );
  return Array.from({ length: count }, (): GivenSession => {
    const visitor = BigInt.asIntN(64, BigInt(below(count / 3)) * 0x9e3779b97f4a7c15n);
    let at = from + below(to - from);
    if (random() < 0.5) at = Math.round(at / HOUR_MS) * HOUR_MS + pick([-1, 0, 1, -60_000, 30_000]);
    const later = random() < 0.1 ? BigInt.asIntN(64, visitor + 1n) : undefined;
    const size = 1 + below(pick([1, 1, 3, 8]));
    const events: GivenEvent[] = [];
    for (let index = 0; index < size; index++) {
      const name = index === 0 ? pick(['pageview', 'pageview', 'signup']) : pick(NAMES);
      events.push({
        at,
        name,
        page: name === 'pageview' ? pick(PAGES.slice(0, -1)) : pick(PAGES),
        hostname: pick(['shop.example', 'shop.example', 'app.shop.example']),
        ...(later !== undefined && index >= size / 2 && { visitor: later }),
        ...(random() < 0.2 && { interactive: false as const }),
      });
      at += pick([0, 1, 20_000, 600_000, 1_799_999]);
    }
    return {
      site,
      visitor,
      bot: random() < 0.15,
      events,
      about: maybe({
        source: ['Google', 'Bing', 'google'],
        channel: ['Organic Search', 'Paid Search'],
        referrer: ['google.com', 'bing.com/search'],
        utm_source: ['newsletter', '=cmd()'],
        utm_medium: ['email', 'cpc'],
        utm_campaign: ['spring', 'autumn'],
        utm_content: ['a', 'b'],
        utm_term: ['x', 'y'],
        country: ['DE', 'AT', 'US'],
        region: ['DE-BY', 'US-CA'],
        city: ['München', 'İzmir'],
        browser: ['Firefox', 'Chrome'],
        browser_version: ['1', '2'],
        os: ['Linux', 'Windows'],
        os_version: ['10', '11'],
        device: ['Desktop', 'Mobile', 'AI crawler'],
        screen: ['1920x1080', '390x844'],
        language: ['de', 'de-AT', 'en'],
      }),
    };
  });
}

/** mulberry32 */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
