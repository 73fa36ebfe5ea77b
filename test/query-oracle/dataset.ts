// Raw events of a few sites, the same for ever for one seed: visits that gather where clocks change, days
// and hours end and ranges begin, with everything that real traffic lacks, repeats, delays and misspells.
import type { PropertyValue, TrackedEvent } from '../../src/events/tracked-event.js';
import { BOT_AGENT, HUMAN_AGENT, PHONE_AGENT, random } from '../traffic.js';

export interface DatasetSite {
  readonly id: string;
  /** What its events are numbered by, as the id is another one each time. */
  readonly name: string;
  readonly visits: number;
  readonly currencies: readonly string[];
}

/** When all requests are asked. */
export const NOW = Date.parse('2026-11-05T12:34:56.789Z');

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Share of the visits, first instant, length. */
const SEASONS: readonly (readonly [share: number, from: string, days: number])[] = [
  [0.62, '2026-10-01T00:00Z', 36],
  [0.18, '2025-10-20T00:00Z', 20],
  [0.1, '2026-03-26T00:00Z', 14],
  [0.1, '2025-12-20T00:00Z', 280],
];

/** Clocks change in Berlin, New York and Lord Howe; days, months and ISO years end; now. */
const EDGES = [
  '2026-10-25T01:00Z',
  '2026-10-24T22:00Z',
  '2026-10-25T23:00Z',
  '2026-11-01T06:00Z',
  '2026-11-01T04:00Z',
  '2026-10-03T15:30Z',
  '2026-04-04T15:00Z',
  '2026-03-29T01:00Z',
  '2026-10-31T23:00Z',
  '2026-11-01T00:00Z',
  '2026-10-31T18:30Z',
  '2026-10-18T18:15Z',
  '2026-10-20T10:00Z',
  '2026-01-01T00:00Z',
  '2025-10-26T01:00Z',
  '2025-11-01T23:00Z',
  '2026-11-05T00:00Z',
  '2026-11-04T12:34:56.789Z',
  '2026-11-05T11:30Z',
].map((text) => Date.parse(text));

const PATHS = [
  '/',
  '/',
  '/pricing',
  '/blog',
  '/blog/a%20b',
  '/Blog',
  '/blog/2026/11',
  '/100%25',
  '/s%C3%B6',
  '/a_b',
  '/a*b',
];
const HOSTS = [
  'shop.example',
  'shop.example',
  'shop.example',
  'www.shop.example',
  'App.shop.example'.toLowerCase(),
];
const QUERIES = [
  '',
  '',
  '',
  '',
  '?utm_source=newsletter&utm_medium=email&utm_campaign=Spring',
  '?utm_source=google&utm_medium=cpc&utm_campaign=spring&utm_term=shoes&utm_content=a',
  '?utm_source=fb&utm_medium=paid%20social&utm_content=b',
  '?ref=friend.example',
  '?source=Partner&utm_campaign=cross-network',
  '?utm_medium=affiliate&utm_term=%27%20OR%201%3D1--',
];
const REFERRERS = [
  undefined,
  undefined,
  undefined,
  'https://www.google.com/search',
  'https://www.bing.com/',
  'https://t.co/abc',
  'https://www.youtube.com/watch',
  'https://chatgpt.com/',
  'https://blog.somebody.example/post',
  'https://shop.example/other',
  'https://m.facebook.com/',
];
const AGENTS = [
  HUMAN_AGENT,
  PHONE_AGENT,
  undefined,
  BOT_AGENT,
  'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
  'Mozilla/5.0 (iPad; CPU OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.5 Mobile/15E148 Safari/604.1',
  HUMAN_AGENT,
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0',
];
const PLACES = [
  undefined,
  { country: 'DE', region: 'DE-BY', city: 'München' },
  { country: 'DE', region: 'DE-BE', city: 'Berlin' },
  { country: 'AT' },
  { country: 'US', region: 'US-CA', city: 'San Francisco' },
  { country: 'TR', city: 'İzmir' },
  { country: 'IN', region: 'IN-KA' },
];
const LANGUAGES = [undefined, 'de', 'de-AT', 'en-US', 'tr'];
const SCREENS = [undefined, '1920x1080', '390x844', '1366x768'];
const NAMES = [
  'signup',
  'Signup',
  'Purchase',
  'Purchase',
  'Outbound Link: Click',
  'File Download',
  'ärger',
  "quote'd",
];
const AMOUNTS = ['12.50', '0.01', '99.999', '1000', '0.000001', '-5.25', '0', '33.333333'];

const PROPS: readonly Readonly<Record<string, PropertyValue>>[] = [
  { plan: 'pro', seats: 5, trial: true },
  { plan: 'free', seats: 0, trial: false },
  { plan: 'Pro' },
  { plan: '(none)', author: 'Zoë' },
  { author: 'O’Neill', 'weird key.$': 'a"b\\c' },
  { constructor: 'x', plan: 'pro' },
  { seats: 2.5, plan: '' },
];

class Traffic {
  readonly events: TrackedEvent[] = [];
  private readonly next: () => number;
  private number = 0;

  constructor(
    private readonly site: DatasetSite,
    seed: number,
  ) {
    this.next = random(seed);
  }

  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  fill(): void {
    for (let visit = 0; visit < this.site.visits; visit++) this.visit();
    if (this.site.visits > 500) {
      this.marathon('crawler', { steps: 620, stepMs: 2_000 });
      this.marathon('monitor', { steps: 130, stepMs: 25 * MINUTE });
    }
  }

  private start(): number {
    if (this.chance(0.45)) {
      const edge = this.pick(EDGES);
      return edge + this.pick([-1, 0, 1, -MINUTE, -29 * MINUTE, -HOUR, this.below(2 * HOUR) - HOUR]);
    }
    let share = this.next();
    const season = SEASONS.find(([part]) => (share -= part) < 0) ?? SEASONS[0]!;
    const at = Date.parse(season[1]) + this.below(season[2] * DAY);
    return Math.min(this.chance(0.3) ? Math.round(at / HOUR) * HOUR : at, NOW + 4 * MINUTE);
  }

  private visit(): void {
    const who = this.below(this.site.visits / 3) + 1;
    let at = this.start();
    const size = 1 + this.below(this.pick([1, 1, 2, 4, 9]));
    let url = this.url(true);
    if (this.chance(0.04)) this.add(who, at - 40_000, { ...this.engaged(), url });
    for (let step = 0; step < size; step++) {
      if (step > 0 && this.chance(0.7)) url = this.url(this.chance(0.1));
      const props = this.chance(0.3) ? { props: this.pick(PROPS) } : {};
      const referrer = step === 0 || this.chance(0.05) ? this.pick(REFERRERS) : undefined;
      const what =
        step === 0 && this.chance(0.85)
          ? 'pageview'
          : this.pick(['pageview', 'pageview', 'pageview', 'custom']);
      const placed = this.chance(0.04) ? {} : { url };
      const named = what === 'pageview' ? { name: 'pageview' } : this.custom();
      this.add(who, at, { ...placed, ...props, ...(referrer !== undefined && { referrer }), ...named });
      if (this.chance(0.5))
        this.add(who, at + this.pick([0, 1, 15_000, 55_000]), { ...this.engaged(), ...placed, ...props });
      at += this.pick([
        0,
        1,
        20_000,
        61_000,
        5 * MINUTE,
        12 * MINUTE,
        30 * MINUTE - 1,
        30 * MINUTE,
        30 * MINUTE + 1,
      ]);
    }
    if (this.chance(0.2)) this.add(who, at, { ...this.engaged(), url });
  }

  private marathon(kind: 'crawler' | 'monitor', { steps, stepMs }: { steps: number; stepMs: number }): void {
    const start = Date.parse('2026-10-27T20:11:00Z');
    for (let step = 0; step < steps; step++) {
      const url = `https://shop.example/${kind}/${step % 7}`;
      this.add(kind === 'crawler' ? 3 : 8, start + step * stepMs, {
        name: step % 5 === 4 ? 'ping' : 'pageview',
        url,
      });
    }
  }

  private url(tagged: boolean): string {
    return `https://${this.pick(HOSTS)}${this.pick(PATHS)}${tagged ? this.pick(QUERIES) : ''}`;
  }

  private custom(): Partial<TrackedEvent> {
    const name = this.pick(NAMES);
    const paid = (name === 'Purchase' && this.chance(0.9)) || this.chance(0.05);
    return {
      name,
      ...(this.chance(0.35) && { interactive: false as const }),
      ...(this.chance(0.1) && { engagementMs: 1_200, scrollDepth: 60 }),
      ...(paid && { revenue: { amount: this.pick(AMOUNTS), currency: this.pick(this.site.currencies) } }),
    };
  }

  private engaged(): Partial<TrackedEvent> {
    return {
      name: 'engagement',
      ...(this.chance(0.85) && {
        engagementMs: this.pick([0, 1, 499, 500, 1_500, 9_999, 10_000, 10_001, this.below(90_000)]),
      }),
      ...(this.chance(0.7) && { scrollDepth: this.pick([0, 1, 25, 49, 50, 51, 75, 100, this.below(101)]) }),
    };
  }

  private add(who: number, at: number, what: Partial<TrackedEvent>): void {
    const number = this.number++;
    const given = who % 5 === 0;
    const day = Math.floor(at / DAY);
    const agent = AGENTS[who % AGENTS.length];
    const place = PLACES[who % PLACES.length];
    const language = LANGUAGES[who % LANGUAGES.length];
    const screen = SCREENS[who % SCREENS.length];
    const event: TrackedEvent = {
      id: `${this.site.name}-${number}`,
      site: this.site.id,
      name: 'pageview',
      occurredAt: at,
      receivedAt: at + this.below(10_000) + (this.chance(0.05) ? this.below(20 * HOUR) : 0),
      visitor: this.visitorId(who, given ? 0 : day),
      ...(!given && at - day * DAY < 30 * MINUTE && { previousVisitor: this.visitorId(who, day - 1) }),
      ...(given && { visitorGiven: true as const }),
      ...(agent !== undefined && { userAgent: agent }),
      ...(place !== undefined && { place }),
      ...(language !== undefined && { language }),
      ...(screen !== undefined && { screen }),
      ...what,
    };
    this.events.push(event);
    if (this.chance(0.03)) {
      const laterMs = 1 + this.below(20 * MINUTE);
      const shifted = this.chance(0.5) ? laterMs : 0;
      this.events.push({ ...event, occurredAt: at + shifted, receivedAt: event.receivedAt + laterMs });
    }
  }

  /** Another on every site, and as cookieless ids do, another every day. */
  private visitorId(who: number, day: number): string {
    const mix = random(who * 2_654_435 + day * 97_003 + this.site.visits * 7);
    const word = () =>
      Math.floor(mix() * 4_294_967_296)
        .toString(16)
        .padStart(8, '0');
    return word() + word();
  }
}

/** In order of receipt. */
export function makeDataset(sites: readonly DatasetSite[], seed: number): readonly TrackedEvent[] {
  return sites
    .flatMap((site, index) => {
      const traffic = new Traffic(site, seed * 31 + index);
      traffic.fill();
      return traffic.events;
    })
    .sort((a, b) => a.receivedAt - b.receivedAt);
}
