// The live worst case for a projector: events in order of time from many sites at once, three to a
// session and a minute apart, so that most sessions are rewritten by several flushes.
import type { TrackedEvent } from '../src/events/tracked-event.js';
import { random } from '../test/traffic.js';

const SITES = 2_000;
const EVENTS_PER_SESSION = 3;
const EVENTS_PER_SECOND = 333;
const MINUTE_MS = 60_000;
const BROWSERS = 40;

export function* liveTraffic(events: number, from: number): Generator<TrackedEvent> {
  const next = random(1);
  const word = () =>
    Math.floor(next() * 4_294_967_296)
      .toString(16)
      .padStart(8, '0');
  const running: { visitor: string; site: number; seen: number; startedAt: number; browser: number }[] = [];
  let oldest = 0;
  for (let number = 0; number < events; number++) {
    const at = from + Math.floor((number * 1_000) / EVENTS_PER_SECOND);
    // Every third event opens a session; the others are the next events of the longest waiting ones.
    let session = running[oldest];
    if (session === undefined || session.startedAt + session.seen * MINUTE_MS > at) {
      // Skewed: a few sites have most of the traffic.
      const site = Math.floor(next() ** 3 * SITES);
      session = {
        visitor: word() + word(),
        site,
        seen: 0,
        startedAt: at,
        browser: Math.floor(next() * BROWSERS),
      };
    } else {
      oldest++;
    }
    session.seen++;
    if (session.seen < EVENTS_PER_SESSION) running.push(session);
    yield {
      id: `0198a5c0-7e4b-7000-8000-${number.toString(16).padStart(12, '0')}`,
      site: `s${session.site.toString(36).padStart(10, '0')}`,
      name: 'pageview',
      occurredAt: at,
      receivedAt: at + 3,
      visitor: session.visitor,
      url: `https://shop-${session.site}.example/products/${Math.floor(next() ** 2 * 5_000)}`,
      ...(session.seen === 1 ? { referrer: 'https://www.google.com/' } : {}),
      userAgent: `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${100 + session.browser}.0.0.0 Safari/537.36`,
      place: { country: 'DE' },
    };
  }
}
