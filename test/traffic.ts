// Seeded visitors: events with all the trouble that real traffic has (long sessions, late and
// repeated events, engagement before its page, ids that change at midnight), and the same for ever
// for one seed.
import type { TrackedEvent } from '../src/events/tracked-event.js';

export const HUMAN_AGENT =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36';
export const PHONE_AGENT =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1';
export const BOT_AGENT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';

/** mulberry32: small, seedable, good enough to make traffic with. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface TrafficOptions {
  readonly seed: number;
  readonly events: number;
  readonly sites: readonly string[];
  readonly visitors: number;
  /** Epoch ms of the first day's midnight. */
  readonly from: number;
  readonly days: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Events in order of receipt. One in twenty is a repeat of an earlier one. */
export function trouble(options: TrafficOptions): TrackedEvent[] {
  const next = random(options.seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)]!;
  const events: TrackedEvent[] = [];
  const lastAt = new Map<string, number>();
  for (let number = 0; number < options.events; number++) {
    const earlier = events.length > 0 && next() < 0.05 ? pick(events) : null;
    if (earlier !== null) {
      // Half of the repeats are retries of a client that leaves the time to the server.
      const laterMs = 1 + Math.floor(next() * 45 * MINUTE_MS);
      const occurredAt = earlier.occurredAt + (next() < 0.5 ? laterMs : 0);
      events.push({ ...earlier, occurredAt, receivedAt: earlier.receivedAt + laterMs });
      continue;
    }
    const site = pick(options.sites);
    const who = Math.floor(next() * options.visitors);
    const key = `${site}/${who}`;
    // Mostly a step after the visitor's last event, sometimes anywhere: late, or a new visit.
    const last = lastAt.get(key);
    const within = (at: number) =>
      Math.min(options.from + options.days * DAY_MS - 1, Math.max(options.from, at));
    const at =
      last === undefined || next() < 0.15
        ? within(options.from + Math.floor(next() * options.days * DAY_MS))
        : within(last + Math.floor((next() ** 2 * 40 - 3) * MINUTE_MS));
    lastAt.set(key, at);
    events.push(eventOf({ site, who, at, number }, next));
  }
  return events;
}

function eventOf(
  { site, who, at, number }: { site: string; who: number; at: number; number: number },
  next: () => number,
): TrackedEvent {
  const day = Math.floor(at / DAY_MS);
  const sinceMidnight = at - day * DAY_MS;
  const kind = next();
  const name = kind < 0.7 ? 'pageview' : kind < 0.85 ? 'engagement' : 'signup';
  return {
    id: `${site}-${number}`,
    site,
    name,
    occurredAt: at,
    receivedAt: at + 10 + number * 7,
    visitor: visitorId(site, who, day),
    ...previous({ site, who, day, sinceMidnight }, next),
    url: `https://${site}.example/page-${Math.floor(next() * 8)}`,
    ...(next() < 0.2 ? { referrer: 'https://www.google.com/search' } : {}),
    ...(who % 7 === 0
      ? { userAgent: BOT_AGENT }
      : who % 7 === 1
        ? {}
        : { userAgent: who % 2 ? HUMAN_AGENT : PHONE_AGENT }),
    ...(who % 3 === 0 ? { place: { country: 'DE' } } : {}),
    ...(name === 'signup' && next() < 0.5 ? { interactive: false as const } : {}),
    ...(name === 'signup' && next() < 0.3 ? { props: { plan: 'pro', seats: number % 5, trial: true } } : {}),
    ...(name === 'signup' && next() < 0.3 ? { revenue: { amount: '12.50', currency: 'EUR' } } : {}),
    ...(name === 'engagement'
      ? { engagementMs: Math.floor(next() * 60_000), scrollDepth: Math.floor(next() * 100) }
      : {}),
  };
}

/** For half an hour after midnight the id of the day before; now and then a link that makes no sense. */
function previous(
  { site, who, day, sinceMidnight }: { site: string; who: number; day: number; sinceMidnight: number },
  next: () => number,
): { previousVisitor?: string } {
  if (sinceMidnight < 30 * MINUTE_MS) return { previousVisitor: visitorId(site, who, day - 1) };
  if (next() < 0.02) return { previousVisitor: visitorId(site, Math.floor(next() * (who + 2)), day) };
  return {};
}

/** As cookieless ids do, it changes every day. */
function visitorId(site: string, who: number, day: number): string {
  const mix = random(
    (who + 1) * 2_654_435_761 + day * 97 + site.length * 31 + site.charCodeAt(site.length - 1),
  );
  const word = () =>
    Math.floor(mix() * 4_294_967_296)
      .toString(16)
      .padStart(8, '0');
  return word() + word();
}

/** A deterministic shuffle. */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  const next = random(seed);
  const result = [...items];
  for (let index = result.length - 1; index > 0; index--) {
    const other = Math.floor(next() * (index + 1));
    [result[index], result[other]] = [result[other]!, result[index]!];
  }
  return result;
}
