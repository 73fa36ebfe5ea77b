// The oracle of realtime: a site's last half hour counted event by event, as plainly as possible.
import { type GivenEvent, type GivenSession, isCounted, isPageview, pageOf } from './read-model-rows.js';

interface Tally {
  readonly visitors: number;
  readonly pageviews: number;
  readonly events: number;
}
type Named<Name extends string> = readonly (Readonly<Record<Name, string>> & Tally)[];

export interface NaiveRealtime {
  readonly visitors: number;
  readonly last_30_minutes: Tally;
  readonly minutes: Named<'minute'>;
  readonly pages: Named<'page'>;
  readonly sources: Named<'source'>;
  readonly countries: Named<'country'>;
  readonly devices: Named<'device'>;
}

interface Hit {
  readonly session: GivenSession;
  readonly event: GivenEvent;
}

const MINUTE_MS = 60_000;
const BEST = 10;

export function naiveRealtime(sessions: readonly GivenSession[], site: string, now: number): NaiveRealtime {
  const minute = (at: number) => Math.floor(at / MINUTE_MS) * MINUTE_MS;
  const from = minute(now) - 29 * MINUTE_MS;
  const hits = sessions
    .filter((session) => session.site === site && !session.bot)
    .flatMap((session) => session.events.map((event) => ({ session, event })))
    .filter(({ event }) => isCounted(event) && event.at >= from && event.at <= now);
  const about = (column: string, missing: string) =>
    best(hits, ({ session }) => session.about?.[column] ?? missing);
  const named = <Name extends string>(name: Name, rows: readonly (readonly [string, Tally])[]): Named<Name> =>
    rows.map(([value, tally]) => ({ [name]: value, ...tally })) as unknown as Named<Name>;
  return {
    visitors: tally(hits.filter(({ event }) => event.at > now - 5 * MINUTE_MS)).visitors,
    last_30_minutes: tally(hits),
    minutes: named(
      'minute',
      Array.from({ length: 30 }, (_, index) => {
        const start = from + index * MINUTE_MS;
        const label = new Date(start).toISOString().replace('.000Z', 'Z');
        return [label, tally(hits.filter(({ event }) => minute(event.at) === start))] as const;
      }),
    ),
    pages: named(
      'page',
      best(hits, ({ event }) => pageOf(event) ?? '(not set)'),
    ),
    sources: named('source', about('source', 'Direct / None')),
    countries: named('country', about('country', '(not set)')),
    devices: named('device', about('device', '(not set)')),
  };
}

const tally = (hits: readonly Hit[]): Tally => ({
  visitors: new Set(hits.map(({ session, event }) => event.visitor ?? session.visitor)).size,
  pageviews: hits.filter(({ event }) => isPageview(event)).length,
  events: hits.length,
});

function best(hits: readonly Hit[], valueOf: (hit: Hit) => string): readonly (readonly [string, Tally])[] {
  const values = [...new Set(hits.map(valueOf))];
  return values
    .map((value) => [value, tally(hits.filter((hit) => valueOf(hit) === value))] as const)
    .sort(
      ([a, one], [b, other]) =>
        other.visitors - one.visitors ||
        other.pageviews - one.pageviews ||
        Buffer.compare(Buffer.from(a), Buffer.from(b)),
    )
    .slice(0, BEST);
}
